stallmeter report a b
