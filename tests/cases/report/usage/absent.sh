stallmeter report nowhere
