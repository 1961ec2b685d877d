report_make incomplete term | sed 's/^stallmeter [0-9.]*/stallmeter VERSION/'
