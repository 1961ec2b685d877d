report_make compute_bound term | sed 's/^stallmeter [0-9.]*/stallmeter VERSION/'
