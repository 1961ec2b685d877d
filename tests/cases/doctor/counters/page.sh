# docs/counters.md is made from the tables; after a change: stallmeter doctor --list counters > docs/counters.md
stallmeter doctor --list counters | diff "$CASE/../../../../docs/counters.md" -
