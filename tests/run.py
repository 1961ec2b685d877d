#!/usr/bin/env python3
"""Runs the suites and says `N passed, N failed` on its last line; exits non-zero on any failure.

    tests/run.py [--nightly] [SUITE...]      no suite: all of them

Cases are counted, not programs. In CI (variable CI set) a test that is skipped because torch, a browser or a compiler
is missing counts as failed.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "suites"))

import cases
import programs
import seeds
import web
import wheel
from tally import BUILD, Tally


def _cases() -> Tally:
    folder, problem = programs.build("test")
    return Tally().fail("build/test", problem) if problem else cases.run_all(folder)


def _house() -> Tally:
    programs.build("test")  # names are read from its objects
    return wheel.run_pytest("debian", "house", seconds=300, needs_wheel=False, STALLMETER_BUILD=str(BUILD / "test"))


def _crash() -> Tally:
    tally = programs.run_suite("test", "crash")
    tally.add(wheel.run_pytest("debian", "crash", seconds=600, needs_wheel=False, STALLMETER_BUILD=str(BUILD / "test")))
    return tally


def _python(environment: str, marked: str, **variables: str) -> Tally:
    return wheel.run_pytest(environment, "python", "-m", marked, seconds=1500, **variables)


# In this order: what breaks most often, and is quickest to tell, comes first.
SUITES: dict[str, tuple[str, Callable[[], Tally]]] = {
    "unit": ("C unit tests", lambda: programs.run_suite("test", "unit")),
    "house": ("layers, names, headers, documents", _house),
    "asan": ("C unit tests under ASan and UBSan", lambda: programs.run_suite("asan", "unit")),
    "tsan": ("C unit tests under TSan", lambda: programs.run_suite("tsan", "unit")),
    "cases": ("golden cases", _cases),
    "crash": ("kill, fork, full disk", _crash),
    "fuzz": ("replay of all fuzz seeds", seeds.replay),
    "web": ("the page, without a browser", web.run_node),
    "wheel": ("the wheel in every Python here", lambda: wheel.run_pytest("debian", "wheel", seconds=600)),
    "python": ("Python tests, newest torch", lambda: _python("torch", "not profilers")),
    "profilers": ("the three profilers, newest torch", lambda: _python("torch", "profilers")),
    # by day without those that are hardly about PyTorch itself
    "python-debian": ("Python tests, Debian's torch", lambda: _python("debian", "", STALLMETER_SECOND_TORCH="1")),
}


# Trainings wait more than they compute: these run at once.
BESIDE = {"python", "profilers", "python-debian"}


def run_one(name: str) -> Tally:
    began = time.monotonic()
    tally = SUITES[name][1]()
    said = [f"== {name}: {SUITES[name][0]}", *(f"FAILED {failure}" for failure in tally.failed),
            *(f"skipped {skip}" for skip in tally.skipped),
            f"   {tally.passed} passed, {len(tally.failed)} failed, {len(tally.skipped)} skipped, "
            f"{time.monotonic() - began:.1f} s"]
    print("\n".join(said), flush=True)
    return tally


def run(names: list[str]) -> Tally:
    total = Tally()
    for name in names:
        if name not in BESIDE:
            total.add(run_one(name))
    with ThreadPoolExecutor(len(BESIDE)) as pool:
        for tally in pool.map(run_one, [name for name in names if name in BESIDE]):
            total.add(tally)
    return total


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=" ".join(SUITES))
    parser.add_argument("--nightly", action="store_true", help="crash tests a hundred times each")
    arguments = parser.parse_args()
    unknown = set(arguments.suites) - set(SUITES)
    if unknown:
        parser.error(f"no suite called {', '.join(sorted(unknown))}")
    if arguments.nightly:
        os.environ["STALLMETER_NIGHTLY"] = "1"
    total = run(arguments.suites or list(SUITES))
    print(f"{total.passed} passed, {len(total.failed)} failed")
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    raise SystemExit(main())
