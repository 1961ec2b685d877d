job_make slow_collate run
stallmeter report run --json - | python3 "$CASE/../findings.py"
