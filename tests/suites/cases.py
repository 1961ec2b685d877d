"""Golden cases: does the tool say exactly this?

    tests/cases/<topic>/<name>/<step>.sh           what a user types; run in an empty folder, steps in order of name
                               <step>.sh.stdout    promise, compared byte by byte; no file: nothing is promised
                               <step>.sh.stderr
                               <step>.sh.exit      the exit code; no file: 0

A step finds the built tools in $PATH, its own folder in $CASE and the build in $BUILD. `tools/golden.py --accept` writes
promises anew.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tally import ROOT, Tally

CASES = ROOT / "tests" / "cases"
_STREAMS = ("stdout", "stderr")
_SECONDS = 120


@dataclass
class Step:
    script: Path
    said: dict[str, bytes]  # stream -> bytes, and "exit" -> b"0\n"


def find(under: Path = CASES) -> list[Path]:
    return sorted({script.parent for script in under.rglob("*.sh")})


def _environment(case: Path, build: Path, scratch: str) -> dict[str, str]:
    kept = {key: os.environ[key] for key in ("LANG", "USER", "CI") if key in os.environ}
    path = f"{build}/src/cli:{build}/tests/make:/usr/local/bin:/usr/bin:/bin"
    return {**kept, "PATH": path, "CASE": str(case), "BUILD": str(build), "HOME": scratch, "TMPDIR": scratch,
            "LC_ALL": "C.UTF-8", "TZ": "UTC", "COLUMNS": "100"}


def perform(case: Path, build: Path) -> list[Step]:
    """Runs the steps of one case and returns what they said."""
    steps = []
    with tempfile.TemporaryDirectory(prefix="stallmeter-case-") as scratch:
        for script in sorted(case.glob("*.sh")):
            done = subprocess.run(["sh", "-eu", script], cwd=scratch, env=_environment(case, build, scratch), timeout=_SECONDS,
                                  stdin=subprocess.DEVNULL, capture_output=True)
            code = done.returncode if done.returncode >= 0 else 128 - done.returncode
            steps.append(Step(script, {"stdout": done.stdout, "stderr": done.stderr, "exit": b"%d\n" % code}))
    return steps


def promise_path(step: Step, what: str) -> Path:
    return step.script.with_name(f"{step.script.name}.{what}")


def broken_promise(step: Step) -> str:
    """The first promise that was not kept, in words; "" when all were."""
    for what in _STREAMS:
        path = promise_path(step, what)
        if path.exists() and path.read_bytes() != step.said[what]:
            return f"{what} differs from {path.relative_to(ROOT)}; it said:\n{step.said[what].decode(errors='replace')}"
    path = promise_path(step, "exit")
    promised = path.read_bytes() if path.exists() else b"0\n"
    if promised != step.said["exit"]:
        stderr = step.said["stderr"].decode(errors="replace")
        return f"exit {step.said['exit'].decode().strip()}, not {promised.decode().strip()}\n{stderr}"
    return ""


def _judge(case: Path, build: Path) -> Tally:
    tally = Tally()
    name = f"cases/{case.relative_to(CASES)}"
    try:
        for step in perform(case, build):
            problem = broken_promise(step)
            if problem:
                tally.fail(f"{name}/{step.script.stem}", problem)
            else:
                tally.passed += 1
    except subprocess.TimeoutExpired:
        tally.fail(name, f"still running after {_SECONDS} s")
    return tally


def run_all(build: Path) -> Tally:
    tally = Tally()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(lambda case: _judge(case, build), find()):
            tally.add(part)
    return tally
