stallmeter doctor me
