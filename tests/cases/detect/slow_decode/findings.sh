job_make slow_decode run
stallmeter report run --json - | python3 "$CASE/../findings.py"
