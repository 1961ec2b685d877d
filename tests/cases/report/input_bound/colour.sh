# As a terminal sees it.
report_make input_bound term 100 colour | sed 's/stallmeter [0-9.]*/stallmeter VERSION/'
