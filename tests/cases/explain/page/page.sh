# docs/detectors.md is made from the table; after a change: stallmeter explain --markdown > docs/detectors.md
stallmeter explain --markdown | diff "$CASE/../../../../docs/detectors.md" -
