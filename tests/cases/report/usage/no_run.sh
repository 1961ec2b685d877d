stallmeter report
