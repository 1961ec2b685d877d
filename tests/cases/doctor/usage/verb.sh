stallmeter docter
