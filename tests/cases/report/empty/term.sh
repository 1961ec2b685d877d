report_make empty term | sed 's/^stallmeter [0-9.]*/stallmeter VERSION/'
