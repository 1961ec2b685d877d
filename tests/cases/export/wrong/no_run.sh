stallmeter export nowhere --to chrome
