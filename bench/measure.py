"""How the table is measured: programs that print `name value unit`, run often enough; and pairs of a job with and
without us, taken in turns so that whatever else the machine does meets both alike."""

from __future__ import annotations

import math
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from types import MappingProxyType

ROOT = Path(__file__).resolve().parent.parent
BUILD = ROOT / "build" / "bench"
REPEAT = 5


class NotMeasured(Exception):
    """Why a row has no number."""


def say(text: str) -> None:
    print("bench:", text, file=sys.stderr, flush=True)


def output_of(command: list[str | Path], seconds: float = 600, variables: Mapping[str, str] = MappingProxyType({})) -> str:
    words = [str(word) for word in command]
    if "/" in words[0] and not Path(words[0]).exists():
        raise NotMeasured(f"{Path(words[0]).name} was not built")
    try:
        done = subprocess.run(words, env={**os.environ, **variables}, stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, errors="replace", timeout=seconds)
    except subprocess.TimeoutExpired:
        raise NotMeasured(f"{words[0]} was still running after {seconds:.0f} s") from None
    if done.returncode != 0:
        raise NotMeasured(f"{' '.join(words)[:80]}: exit {done.returncode}: {(done.stderr or done.stdout).strip()[-200:]}")
    return done.stdout


def numbers(command: list[str | Path], repeat: int = REPEAT, **variables: str) -> dict[str, float]:
    """Median of each number that a program prints as `name value unit`, over several runs of it."""
    seen: dict[str, list[float]] = {}
    for _ in range(repeat):
        for line in output_of(command, variables=variables).splitlines():
            words = line.split()
            if len(words) >= 2:
                try:
                    seen.setdefault(words[0], []).append(float(words[1]))
                except ValueError:
                    continue
    if not seen:
        raise NotMeasured(f"{command[0]} printed no numbers")
    return {name: median(values) for name, values in seen.items()}


@dataclass
class Interval:
    low: float
    middle: float
    high: float

    def __str__(self) -> str:
        return f"{self.middle:.3f}x [{self.low:.3f}, {self.high:.3f}]"


def interval_of_ratios(ratios: list[float]) -> Interval:
    """Geometric mean of paired ratios with a seeded bootstrap interval of 95 %."""
    chance = random.Random(0)
    logs = [math.log(ratio) for ratio in ratios]
    means = sorted(math.exp(sum(chance.choices(logs, k=len(logs))) / len(logs)) for _ in range(4000))
    return Interval(means[100], math.exp(sum(logs) / len(logs)), means[3899])


def in_turns(without: Callable[[], float], with_us: Callable[[], float], pairs: int = REPEAT) -> list[tuple[float, float]]:
    """(without, with) of every pair; each pair begins with the other one than the pair before. One of each goes first
    to warm the caches and counts for nothing."""
    without()
    with_us()
    rows = []
    for number in range(pairs):
        if number % 2:
            second = with_us()
            rows.append((without(), second))
        else:
            first = without()
            rows.append((first, with_us()))
    return rows


def scratch() -> tempfile.TemporaryDirectory:
    return tempfile.TemporaryDirectory(prefix="stallmeter-bench-")
