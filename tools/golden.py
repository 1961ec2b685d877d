#!/usr/bin/env python3
"""Shows or renews the promises of golden cases.

    tools/golden.py [CASE...]            what each step says now, and which promise it breaks
    tools/golden.py --accept CASE...     writes what is said as the promise; review the diff like code

CASE is a folder of tests/cases, or one above several. A promise of stderr is renewed only where one stands already, or
with --stderr.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "suites"))

import cases
import programs


def accept(step: cases.Step, with_stderr: bool) -> None:
    for what, said in step.said.items():
        path = cases.promise_path(step, what)
        if what == "exit":
            path.unlink(missing_ok=True)
            if said != b"0\n":
                path.write_bytes(said)
        elif what == "stdout" or path.exists() or with_stderr:
            path.write_bytes(said)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", type=Path)
    parser.add_argument("--accept", action="store_true")
    parser.add_argument("--stderr", action="store_true")
    arguments = parser.parse_args()
    if arguments.accept and not arguments.cases:
        parser.error("--accept needs the cases it is for")
    build, problem = programs.build("test")
    if problem:
        raise SystemExit(problem)
    broken = 0
    for case in [case for under in arguments.cases or [cases.CASES] for case in cases.find(under.resolve())]:
        for step in cases.perform(case, build):
            name = f"{case.relative_to(cases.CASES)}/{step.script.name}"
            if arguments.accept:
                accept(step, arguments.stderr)
                print("accepted", name)
            elif problem := cases.broken_promise(step):
                broken += 1
                print(f"broken {name}: {problem}")
            else:
                print("kept", name)
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main())
