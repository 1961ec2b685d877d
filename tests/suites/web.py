"""The page under node's own test runner."""

from __future__ import annotations

from tally import ROOT, Tally, call


def run_node() -> Tally:
    tests = sorted((ROOT / "tests" / "web").glob("*.test.*js"))
    if not tests:
        return Tally()
    done = call(["node", "--test", *tests], seconds=300)
    tally = Tally()
    for line in done.output.splitlines():
        word = line.strip()
        if word.startswith("not ok "):
            tally.fail(f"web/{word.removeprefix('not ok ')}")
        elif word.startswith("ok "):
            tally.passed += 1
    if done.code != 0 and not tally.failed:
        tally.fail("web", done.tail())
    return tally
