#!/usr/bin/env python3
"""Fuzzes every parser of outside bytes, each target for a while: `tools/fuzz.py --seconds 900 [TARGET...]`.

What is found is kept in tests/fuzz/seeds/<target>/ as a seed (commit it with the cure), and the exit code is 1. The corpus
that grows meanwhile stays in build/fuzz-corpus and makes the next hour start where this one ended.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests" / "suites"))

import programs
import seeds
from tally import BUILD, call


def fuzz_one(target: Path, seconds: int) -> bool:
    """True when nothing was found."""
    word = target.name.removeprefix("fuzz_")
    kept = seeds.SEEDS / word
    corpus = BUILD / "fuzz-corpus" / word
    for folder in (kept, corpus):
        folder.mkdir(parents=True, exist_ok=True)
    options = [f"-max_total_time={seconds}", "-timeout=20", "-rss_limit_mb=2048", "-max_len=262144",
               f"-artifact_prefix={kept}/", "-print_final_stats=1"]
    done = call([target, *options, corpus, kept], seconds=seconds + 300)
    executions = next((line.split()[-1] for line in done.output.splitlines() if "number_of_executed_units" in line), "?")
    print(f"{target.name}: {executions} inputs, {'nothing found' if done.code == 0 else 'FOUND SOMETHING'}", flush=True)
    if done.code != 0:
        print(done.tail(40), flush=True)
    return done.code == 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("targets", nargs="*")
    parser.add_argument("--seconds", type=int, default=900)
    arguments = parser.parse_args()
    folder, problem = programs.build("fuzz")
    if problem:
        raise SystemExit(problem)
    chosen = [path for path in seeds.targets(folder)
              if not arguments.targets or path.name.removeprefix("fuzz_") in arguments.targets]
    if not chosen:
        raise SystemExit("no such fuzz target")
    results = [fuzz_one(target, arguments.seconds) for target in chosen]
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    raise SystemExit(main())
