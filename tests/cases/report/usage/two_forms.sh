stallmeter report a --json - --html -
