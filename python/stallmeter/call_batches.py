"""Batch sizes, tried in turns: one call of each size, then the next of each, so that what drifts drifts for all.

Times are what the calls need: without what the thread waited for a CPU that others had, which says nothing of the size.
"""

import time

from . import _read
from .call_inputs import copied, name_of, samples, size_bytes, where_of
from .call_profile import COSTS, describe, interval, need, quantile, rate, usable_cpus

ROUNDS = 20  # as far as there is time
ROUNDS_MOST = 300  # where they cost next to nothing, since short calls need more of them
CHEAP_SHARE = 0.1  # of the time there is


class _Size:
    def __init__(self, function, inputs, size):
        self.size, self.inputs = size, inputs
        self.function = (lambda batch: [function(value) for value in batch]) if inputs.per_sample else function
        self.costs, self.error, self.result, self.turn = [], None, None, 0

    def prepare(self, _):
        batch = samples(self.inputs.data, self.turn * self.size, (self.turn + 1) * self.size)
        return copied(batch) if self.inputs.copies else batch

    def call(self):
        """One more; the first is a warm-up."""
        costs, result, error = _read.measure(self.function, self.prepare, 1, 0.0)
        if error is not None:
            self.error = {"call": self.turn + 1, "error": describe(error)}
            return
        self.result = result
        if self.turn:
            self.costs += costs
        self.turn += 1


def measure_batches(function, inputs, config):
    """A tree for each size of the config's range, smallest first."""
    begin = time.monotonic()
    end, cheap = begin + config.profiling_duration, begin + CHEAP_SHARE * config.profiling_duration
    sizes = [_Size(function, inputs, size) for size in sorted(set(config.batch_size_range))]
    for turn in range(ROUNDS_MOST + 1):
        for size in sizes:
            if size.error is None and (turn == 0 or time.monotonic() < end):
                size.call()
        if time.monotonic() >= (end if turn < ROUNDS else cheap):
            break
    return [_tree(function, inputs, size) for size in sizes]


def _tree(function, inputs, size):
    needs = [need(cost) for cost in size.costs]
    means = dict.fromkeys(COSTS)
    for name, column in zip(COSTS, zip(*size.costs, strict=True), strict=False):
        means[name] = None if None in column else sum(column) / len(column)
    times = interval(needs) if needs else dict.fromkeys(("mean_s", "low_s", "high_s"))
    times.update(p50_s=quantile(needs, 0.5) if needs else None, p99_s=quantile(needs, 0.99) if needs else None)
    batch = samples(inputs.data, 0, size.size)
    return {
        "kind": "batch", "name": name_of(function), "where": where_of(function), "per_sample": inputs.per_sample,
        "copied": inputs.copies, "samples": size.size, "batch_size": size.size, "calls": len(needs), "time": times,
        "samples_per_s": rate(times, size.size), "cpu": {key: means[key] for key in COSTS[1:5]},
        "memory": {"input_bytes": size_bytes(batch), "output_bytes": size_bytes(size.result) if size.turn else None,
                   "minor_faults": means["minor_faults"]},
        "io": {"read_bytes": means["read_bytes"], "major_faults": means["major_faults"]},
        "errors": [size.error] if size.error else [], "members": []}


def batch_findings(tree, trees):
    """Judged by C among the other sizes. What a function is made of is told by the profile of the function."""
    measured = [each for each in trees if each["calls"]]
    elsewhere = "profile_preprocessing_function() looks at that"
    facts = {"name": tree["name"], "where": tree["where"], "calls": tree["calls"], "batch_size": tree["batch_size"],
             "usable_cpus": usable_cpus(), "need_s": tree["time"]["mean_s"], "need_low_s": tree["time"]["low_s"],
             "need_high_s": tree["time"]["high_s"], "no_costs": elsewhere, "no_lines": elsewhere, "no_memory": elsewhere,
             "no_sizes": elsewhere, "no_units": elsewhere, "no_device": elsewhere,
             "batches": [(float(each["batch_size"]), each["time"]["mean_s"], each["time"]["low_s"], each["time"]["high_s"])
                         for each in measured]}
    judged = _read.judge_calls(facts)
    tree.update(findings=judged["findings"], passed=judged["passed"], not_measured=judged["not_measured"])
