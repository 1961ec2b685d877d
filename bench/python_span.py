#!/usr/bin/env python3
"""What a span costs in Python, in lines `name value unit`.

Each case is timed in turns with all others, as CPU time of this thread, the empty loop taken off; every figure is the median
of the rounds. The session records into a mapping of its own, in a folder that goes away.

    bench/python_span.py [EXTENSION]    another build of `_record`, such as one with the full API
"""

import contextlib
import importlib.util
import statistics
import sys
import tempfile
import time

ROUNDS, USES = 31, 4000

CASES = {
    "nullcontext_ns": "with nullcontext(): pass",
    "span_ns": "with span('x'): pass",
    "span_with_type_ns": "with span('x', type='io'): pass",
    "span_of_module_ns": "with stallmeter.span('x'): pass",
    "span_prepared_ns": "with prepared: pass",
    "span_off_ns": "with off: pass",
    "call_ns": "plain()",
    "call_wrapped_ns": "wrapped()",
    "clock_pair_ns": "clock(); clock()",
}


def recorder(path):
    if path is None:
        import stallmeter

        return stallmeter._record
    spec = importlib.util.spec_from_file_location("_record", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def plain():
    pass


class Named:
    """`stallmeter.span`, whatever build is measured."""

    def __init__(self, record):
        self.span = record.span


def loops(record):
    """name -> function of a count, and the empty loop."""
    off = record.span("off")
    names = {"nullcontext": contextlib.nullcontext, "span": record.span, "stallmeter": Named(record),
             "prepared": record.span("p"), "off": off, "plain": plain, "wrapped": record.wrap(plain, record.span("w")),
             "clock": time.perf_counter_ns}
    made = {}
    for name, body in {"empty": "pass", **CASES}.items():
        scope = dict(names)
        exec(f"def loop(count):\n for _ in range(count):\n  {body}\n", scope)
        made[name] = scope["loop"]
    return made


def cpu_ns(loop):
    begin = time.thread_time_ns()
    loop(USES)
    return (time.thread_time_ns() - begin) / USES


def measure(record, names):
    made = loops(record)
    rounds: dict[str, list[float]] = {name: [] for name in names}
    for number in range(ROUNDS + 2):  # the first two warm up
        empty = cpu_ns(made["empty"])
        for name in names:
            cost = cpu_ns(made[name]) - empty
            if number >= 2:
                rounds[name].append(cost)
    return {name: statistics.median(costs) for name, costs in rounds.items()}


def main():
    record = recorder(sys.argv[1] if len(sys.argv) > 1 else None)
    figures = measure(record, ["span_off_ns"])
    with tempfile.TemporaryDirectory() as folder:
        # so large that nothing is lost, and no span carries its cause: clock only
        record.session_start(folder, limit_bytes=1 << 30, cause_threshold_us=-1)
        figures |= measure(record, [name for name in CASES if name != "span_off_ns"])
        lost = record.lost()
        record.session_stop()
        record.session_start(folder, limit_bytes=1 << 30, cause_threshold_us=0)
        figures["span_cause_ns"] = with_cause(record)
        record.session_stop()
    assert lost == 0, f"{lost} events were lost: the figures are of something else"
    for name, value in figures.items():
        print(f"{name} {value:.1f} ns")


def with_cause(record):
    """A span that lasts long enough to carry its cause, less the same work without one."""
    def busy():
        end = time.perf_counter_ns() + 80_000
        while time.perf_counter_ns() < end:
            pass

    span = record.span("long")
    costs = []
    for _ in range(ROUNDS):
        begin = time.perf_counter_ns()
        with span:
            busy()
        middle = time.perf_counter_ns()
        busy()
        costs.append(middle - begin - (time.perf_counter_ns() - middle))
    return statistics.median(costs)


if __name__ == "__main__":
    main()
