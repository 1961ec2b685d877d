"""Prints the findings of a report in a line each: type, cause, where, severity to a percent."""

import json
import sys

report = json.load(sys.stdin)
for finding in report["findings"]:
    where = finding["where"]
    severity = "risk" if finding["severity"] is None else f"{finding['severity']:.2f}"
    print(severity, finding["type"], finding["cause"] or "-", where["stage"] or "-", where["name"] or "-")
if not report["findings"]:
    print("nothing to fix")
