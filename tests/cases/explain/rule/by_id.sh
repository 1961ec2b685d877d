stallmeter explain SM109
