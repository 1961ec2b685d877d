stallmeter report --help
