#!/usr/bin/env python3
"""What stallmeter costs, in one table: `make bench`, or `bench/run.py [ROW...]` for the rows whose name holds a word.

Ratios are of one run on one machine: what is compared runs in turns with what it is compared to. Every figure is the
median of at least five. A row that could not be measured says why, and counts as not reached.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

import job
import measure
from measure import BUILD, ROOT, NotMeasured, numbers, say


@dataclass
class Row:
    name: str
    goal: str
    of: str
    measure: Callable[[], tuple[str, bool | None]]  # value for people, and whether the goal is reached; None: only reported


def ratio(found: dict[str, float], above: str, below: str) -> float:
    missing = [name for name in (above, below) if name not in found]
    if missing:
        raise NotMeasured(f"no figure called {', '.join(missing)}")
    return found[above] / found[below]


@cache
def c_span() -> dict[str, float]:
    return numbers([BUILD / "bench" / "c_span"])


@cache
def c_file() -> dict[str, float]:
    return numbers([BUILD / "bench" / "c_file"])


def at_most(limit: float, value: float, unit: str = "x") -> tuple[str, bool]:
    return f"{value:.2f}{unit}", value <= limit


def both(first: tuple[str, bool], second: tuple[str, bool]) -> tuple[str, bool]:
    return f"{first[0]} / {second[0]}", first[1] and second[1]


def pair_inline_and_library() -> tuple[str, bool]:
    found = c_span()
    return both(at_most(1.10, ratio(found, "inline_ns", "reference_ns")),
                at_most(1.25, ratio(found, "library_ns", "reference_ns")))


def total_cpu() -> tuple[str, bool]:
    return at_most(1.5, ratio(c_file(), "total_cpu_ns", "reference_ns"))


@cache
def stack_looks() -> dict[str, float]:
    return numbers([BUILD / "bench" / "stack_looks", job.python()])


def stack_look() -> tuple[str, bool]:
    found = stack_looks()
    value, reached = at_most(3.0, found["walk_ns"] / 1e3, " us")
    return f"{value} / {found['asleep_ns'] / 1e3:.2f} us", reached


def stack_looks_of_nine() -> tuple[str, bool]:
    return at_most(1.0, 100 * stack_looks()["nine_share"], " %")


def two_threads() -> tuple[str, bool]:
    return at_most(1.05, ratio(c_span(), "two_threads_ns", "one_thread_ns"))


def python_with() -> tuple[str, bool]:
    found = numbers([job.python(), ROOT / "bench" / "python_span.py"])
    value, reached = at_most(0.5, ratio(found, "span_ns", "nullcontext_ns"))
    return f"{value} / {ratio(found, 'span_cause_ns', 'nullcontext_ns'):.2f}x", reached


def event_bytes() -> tuple[str, bool]:
    found = c_file()
    return both(at_most(4.1, ratio(found, "live_bytes", "events"), " B"),
                at_most(2.4, ratio(found, "archived_bytes", "events"), " B"))


def counter_sample() -> tuple[str, bool]:
    with_psutil = job.environments.ensure("tools").parent
    found = numbers([BUILD / "bench" / "counters"], PATH=f"{with_psutil}:{os.environ['PATH']}")
    raw, psutil = ratio(found, "sample_ns", "preads_ns"), ratio(found, "sample_ns", "psutil_ns")
    return f"{raw:.2f}x preads, 1/{1 / psutil:.1f} of psutil", raw <= 1.25 and psutil <= 1 / 8


def hundred_million() -> tuple[str, bool]:
    found = numbers([BUILD / "bench" / "trace_100m"], repeat=1)  # a median of five itself
    seconds, megabytes = found.get("verdict_s"), found.get("peak_mb")
    if seconds is None or megabytes is None:
        raise NotMeasured("trace_100m printed no verdict_s and peak_mb")
    return f"{seconds:.2f} s, {megabytes:.0f} MB", seconds <= 2 and megabytes <= 256


def optimal_configuration() -> tuple[str, bool]:
    script = ROOT / "bench" / "optimal_configuration.py"  # measures three choices for each data set
    found = [numbers([job.python(), script, name], repeat=1).get("worst_shortfall") for name in ("jpegs", "far", "tensors")]
    if None in found:
        raise NotMeasured("optimal_configuration.py printed no worst_shortfall")
    worst = max(value for value in found if value is not None)
    return f"{worst:.1%}", worst <= 0.05


ROWS = [
    Row("C begin/end: inline / through the library", "1.10x / 1.25x", "2 rdtsc + 2 stores", pair_inline_and_library),
    Row("CPU of a span in all: faults, drain, file", "1.5x", "the same", total_cpu),
    Row("two threads, a thread's cost", "1.05x", "one thread", two_threads),
    Row("Python with-span: clock only / with cause", "0.5x / reported", "nullcontext()", python_with),
    Row("bytes per event: live / archived", "4.1 B / 2.4 B", "", event_bytes),
    Row("counter sample, system + 9 processes", "1.25x / 1/8", "raw preads / psutil", counter_sample),
    Row("collector at its default rates", "0.5 %", "one core", job.collector_share),
    Row("a look at a stack of 24 frames / of a sleeper", "3 us / reported", "", stack_look),
    Row("looks at nine processes, 100 Hz", "1 %", "one core", stack_looks_of_nine),
    Row("demo training: CPU of everything ours", "1 %", "the job's CPU", job.accounted_cpu),
    Row("demo training: samples/s with us", "interval has 0.99x", "without us", job.samples_per_second),
    Row("added to the main process per step", "0.05 ms", "", job.added_per_step),
    Row("100 million events, trace to verdict", "2 s, 256 MB", "one core", hundred_million),
    Row("optimal configuration, worst of nine, below", "5 %", "best of the grid", optimal_configuration),
    Row("exposed stall against the fake accelerator", "1 point", "its own log", job.exposure_error),
]


def build() -> None:
    if not (BUILD / "build.ninja").exists():
        subprocess.run(["meson", "setup", "-Dbuildtype=release", BUILD, ROOT], check=True, stdout=sys.stderr)
    subprocess.run(["ninja", "-C", BUILD], check=True, stdout=sys.stderr)


def line(cells: list[str]) -> str:
    return "| " + " | ".join(f"{cell:<{width}}" for cell, width in zip(cells, (44, 18, 20, 34, 7), strict=True)) + " |"


def main() -> int:
    words = [word.lower() for word in sys.argv[1:]]
    rows = [row for row in ROWS if not words or any(word in row.name.lower() for word in words)]
    build()
    print(f"{platform.processor() or platform.machine()}, Linux {platform.release()}, medians of {measure.REPEAT} or more\n")
    print(line(["what", "goal, at most", "of", "measured", "reached"]))
    print(line(["---", "---", "---", "---", "---"]))
    missed = 0
    for row in rows:
        say(row.name)
        try:
            value, reached = row.measure()
        except NotMeasured as reason:
            value, reached = f"not measured: {reason}", False
        missed += reached is False
        print(line([row.name, row.goal, row.of, value, {True: "yes", False: "no", None: ""}[reached]]), flush=True)
    print(f"\n{len(rows) - missed} reached, {missed} not")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
