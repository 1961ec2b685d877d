run_make OTHER
stallmeter export OTHER --to chrome -o /no/such/folder/trace.json
