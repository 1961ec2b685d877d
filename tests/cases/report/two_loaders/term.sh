report_make two_loaders term | sed 's/^stallmeter [0-9.]*/stallmeter VERSION/'
