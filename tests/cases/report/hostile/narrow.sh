report_make hostile term 60 | sed 's/^stallmeter [0-9.]*/stallmeter VERSION/'
