job_make busy_loop run
stallmeter report run --json - | python3 "$CASE/../findings.py"
