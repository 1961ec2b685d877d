# Never more than 60 columns nor 25 lines.
report_make input_bound term 60 | sed 's/^stallmeter [0-9.]*/stallmeter VERSION/'
