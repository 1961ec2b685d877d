job_make cold_reads run
stallmeter report run --json - | python3 "$CASE/../findings.py"
