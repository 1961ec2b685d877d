job_make warm_reads run
stallmeter report run --json - | python3 "$CASE/../findings.py"
