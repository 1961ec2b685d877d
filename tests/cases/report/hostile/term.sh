# Names from other people's code neither clear the screen nor break the frame.
report_make hostile term | sed 's/^stallmeter [0-9.]*/stallmeter VERSION/'
