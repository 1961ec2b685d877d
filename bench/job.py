"""Rows that need a whole job: trainings under `stallmeter run` and without it, in turns."""

from __future__ import annotations

import json
import re
import statistics
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

from measure import ROOT, NotMeasured, in_turns, interval_of_ratios, output_of, scratch

sys.path.insert(0, str(ROOT / "tools"))
import environments

TRAINING: list[str | Path] = [ROOT / "examples" / "train_photos.py", ROOT / "data" / "photos", "--epochs", "1", "--photos", "900"]
TURNS = 80


@cache
def python() -> Path:
    """The environment with PyTorch, and in it the wheel of this tree."""
    interpreter = environments.ensure("torch")
    subprocess.run([interpreter, "-m", "pip", "install", "-qq", "--no-deps", "--force-reinstall", ROOT], check=True,
                   stdin=subprocess.DEVNULL, stdout=sys.stderr)
    return interpreter


def program() -> Path:
    found = python().parent / "stallmeter"
    if not found.exists():
        raise NotMeasured("the wheel carries no program yet")
    return found


def rate_of(output: str) -> float:
    """Photographs a second, as the script itself prints them."""
    found = re.findall(r"([\d.]+) photos/s", output)
    if not found:
        raise NotMeasured("the training printed no rate")
    return float(found[-1])


@cache
def trainings() -> tuple[list[float], list[dict]]:
    """Ratios of samples per second (with / without), and the reports of the runs with us."""
    output_of([python(), ROOT / "tools" / "photos.py", ROOT / "data" / "photos"])
    reports: list[dict] = []

    def without() -> float:
        return rate_of(output_of([python(), *TRAINING]))

    def with_us() -> float:
        with scratch() as folder:
            run = Path(folder) / "run"
            rate = rate_of(output_of([program(), "run", "--quiet", "-o", run, "--", python(), *TRAINING]))
            reports.append(json.loads((run / "report.json").read_text()))
        return rate

    rows = in_turns(without, with_us)
    return [after / before for before, after in rows], reports


def samples_per_second() -> tuple[str, bool]:
    interval = interval_of_ratios(trainings()[0])
    return str(interval), interval.high >= 0.99


def accounted_cpu() -> tuple[str, bool]:
    shares = [report["run"]["overhead"]["cpu_share"] for report in trainings()[1]]
    if any(share is None for share in shares):
        raise NotMeasured("report.json has no overhead")
    share = statistics.median(shares)
    return f"{share:.2%}", share <= 0.01


def collector_share() -> tuple[str, bool]:
    """CPU of the collector over its wall time, beside nine processes that do nothing: from what the run says of itself."""
    family = "for i in 1 2 3 4 5 6 7 8; do sleep 20 & done; wait"
    shares = []
    for _ in range(5):
        with scratch() as folder:
            run = Path(folder) / "run"
            began = time.monotonic()
            output_of([program(), "run", "--quiet", "-o", run, "--", "sh", "-c", family])
            wall = time.monotonic() - began
            report = json.loads((run / "report.json").read_text())
            cpu = report["run"]["overhead"]["cpu_s"]
            if cpu is None:
                raise NotMeasured("report.json has no overhead")
            shares.append(cpu / wall)
    share = statistics.median(shares)
    return f"{share:.2%}", share <= 0.005


def added_per_step() -> tuple[str, bool]:
    """Two loops, one under us, that run a hundred steps each in turns; the median difference of the main thread's CPU."""
    script = [str(python()), str(ROOT / "bench" / "step_cost.py")]
    with scratch() as folder:
        commands = [script, [str(program()), "run", "--quiet", "--no-report", "-o", f"{folder}/run", "--", *script]]
        loops = [subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for words in commands]

        def turn(loop: subprocess.Popen) -> float:
            assert loop.stdin and loop.stdout
            loop.stdin.write("go\n")
            loop.stdin.flush()
            said = loop.stdout.readline()
            if not said:
                raise NotMeasured("the loop ended early")
            return float(said)

        try:
            for loop in loops * 5:
                turn(loop)
            added = []
            for number in range(TURNS):
                first, second = (loops if number % 2 else loops[::-1])
                cost = {first.pid: turn(first), second.pid: turn(second)}
                added.append((cost[loops[1].pid] - cost[loops[0].pid]) / 1e3)
        finally:
            for loop in loops:
                loop.communicate()
    middle = statistics.median(added)
    spread = statistics.stdev(added) / len(added) ** 0.5
    return f"{middle:.3f} ms (± {2 * spread:.3f})", middle <= 0.05


def exposure_error() -> tuple[str, bool]:
    """The comparison is a test, so that it is made on every commit; here its verdict is shown."""
    done = subprocess.run([python(), "-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", "within_a_point",
                           ROOT / "tests" / "python" / "test_device.py"], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True)
    passed = re.search(r"(\d+) passed", done.stdout)
    failed = re.search(r"(\d+) failed", done.stdout)
    if not passed and not failed:
        raise NotMeasured(f"tests/python/test_device.py did not run: {done.stdout.strip()[-200:]}")
    within, beyond = int(passed.group(1)) if passed else 0, int(failed.group(1)) if failed else 0
    return f"within a point in {within} of {within + beyond} regimes", beyond == 0
