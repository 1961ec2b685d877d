report_make cannot_tell term | sed 's/^stallmeter [0-9.]*/stallmeter VERSION/'
