"""Replays the seeds of every fuzz target, and everything that fuzzing ever found: tests/fuzz/seeds/<target>/*."""

from __future__ import annotations

from pathlib import Path

import programs
from tally import ROOT, Tally, call

SEEDS = ROOT / "tests" / "fuzz" / "seeds"


def targets(build: Path) -> list[Path]:
    return sorted(path for path in (build / "tests" / "fuzz").glob("fuzz_*") if path.is_file() and path.stat().st_mode & 0o100)


def replay() -> Tally:
    if not any((ROOT / "tests" / "fuzz").glob("fuzz_*.c")):
        return Tally()
    folder, problem = programs.build("fuzz")
    tally = Tally()
    if problem:
        tally.fail("build/fuzz", problem)
    for target in targets(folder):
        found = sorted((SEEDS / target.name.removeprefix("fuzz_")).glob("*"))
        if not found:
            tally.fail(f"fuzz/{target.name}", "has no seeds")
        for seed in found:
            done = call([target, "-rss_limit_mb=2048", seed], seconds=60)
            if done.code == 0:
                tally.passed += 1
            else:
                tally.fail(f"fuzz/{target.name}/{seed.name}", done.tail(12))
    return tally
