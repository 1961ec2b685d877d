report_make gpu_async term | sed 's/^stallmeter [0-9.]*/stallmeter VERSION/'
