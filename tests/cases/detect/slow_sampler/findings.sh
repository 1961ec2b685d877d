job_make slow_sampler run
stallmeter report run --json - | python3 "$CASE/../findings.py"
