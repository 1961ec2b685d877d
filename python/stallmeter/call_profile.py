"""One function, measured: timed calls first, then passes that are not timed and say what the time went into.

    timed calls     each on its own copy of the input; only the call lies between the edges, which are read in C
    looks           whose instructions it computes with, and, where it waits, for what
    memory          what Python's allocators held at most
    followed        which lines ran how often, who was called, twice
    sizes           the same on parts of the input
    cache, device   whether a cache or a device would pay

Every pass has its part of the time that there is, and one that fails says so: what it would have measured is None, with that
reason.
"""

import os
import sys
import time
import tracemalloc

from . import _read
from .call_inputs import (
    NotCopied,
    copied,
    element_count,
    extent,
    fingerprint,
    is_tensor,
    kind,
    loaded,
    name_of,
    part,
    sample_count,
    shape,
    size_bytes,
    where_of,
)
from .call_lines import TooLong, count_tensor_calls, follow_calls, follow_lines

#: parts of the time there is for one function; what a pass does not use is left for the next
TIMED, LOOKED, FOLLOWED, SIZED = 0.35, 0.15, 0.1, 0.2
LOOKED_CPU_S = 0.5  # of CPU: fifty looks
LOOKED_WAITING_S = 1.0
PARTS = (8, 64)  # of an input on which a call takes too long to be followed
FOLLOWED_S = 6.0  # no program is interesting for longer
LINES_SHOWN = 10
SIZES = (8, 4, 2, 1)  # the whole, and parts of it
WAITS = ("sleep", "lock", "network", "file", "process")
COSTS = ("wall_s", "cpu_s", "helper_cpu_s", "run_delay_s", "blocked_s", "read_bytes", "minor_faults", "major_faults")


class Inputs:
    """What the calls are given: the data whole, or its samples in turn. Each call has its own copy."""

    def __init__(self, data, per_sample):
        self.data, self.per_sample = data, per_sample
        self.first = None  # of the first call: its seconds, whether it changed its input, what it gave back
        self.tried = 0  # calls before that one, which failed
        self.copies = True
        try:
            copied(self.original(0))
        except NotCopied as problem:
            self.copies, self.why_no_copies = False, str(problem)

    def count(self):
        return sample_count(self.data) if self.per_sample else 1

    def original(self, number):
        return self.data[number % sample_count(self.data)] if self.per_sample else self.data

    def __call__(self, number):
        value = self.original(number)
        return copied(value) if self.copies else value

    def call_first(self, function):
        value = self(0)
        before = fingerprint(value)
        begin = time.perf_counter()
        result = function(value)
        spent = time.perf_counter() - begin
        self.first = (spent, None if before is None else fingerprint(value) != before, result)


def usable_cpus():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def interval(values):
    """The mean with its interval, which does not reach below 0: no call takes less."""
    mean, low, high = _read.mean(values)
    return {"mean_s": mean, "low_s": None if low is None else max(low, 0.0), "high_s": high}


def rate(times, samples):
    """Samples a second, from the interval of a call's time; None where it is not known, or what a sample is is not."""
    if not times["mean_s"] or not samples:
        return None
    low, high = times["low_s"], times["high_s"]
    return {"mean": samples / times["mean_s"], "low": samples / high if high else None,
            "high": samples / low if low and low > 0 else None}


def rate_words(rate):
    return "not measured" if rate is None else f"{rate:,.0f}" if rate >= 100 else f"{rate:.3g}"


def need(cost):
    """What a call asks for itself: its wall time without what its thread waited for a CPU that others had."""
    return max(cost[0] - (cost[3] or 0.0), 1e-9)


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _mean(values):
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def describe(problem):
    return f"{type(problem).__name__}: {problem}"


class Measuring:
    """The passes over one function. `facts` is what C judges, `tree` what the profile shows."""

    def __init__(self, function, inputs, count, seconds, config):
        self.function, self.inputs, self.count, self.config = function, inputs, count, config
        self.called = inputs.tried
        self.seconds, self.end = seconds, time.monotonic() + seconds
        self.facts = {"name": name_of(function), "where": where_of(function), "usable_cpus": usable_cpus()}
        self.tree = {"name": self.facts["name"], "where": self.facts["where"], "errors": [], "members": []}
        self.lacking = {}  # what -> why

    def left(self, share=1.0):
        """Seconds for a pass that may take that share of all, as far as they are still there."""
        return max(0.0, min(share * self.seconds, self.end - time.monotonic()))

    def lack(self, what, why):
        self.lacking.setdefault(what, why)

    # --- timed ---

    def first_call(self):
        """The warm-up, which the caller may have made already: what it raises is the caller's to tell."""
        if self.inputs.first is None:
            self.inputs.call_first(self.function)
        self.called += 1
        self.tree["first_call_s"], self.tree["changes_input"], self.result = self.inputs.first

    def time_calls(self):
        costs, result, error = _read.measure(self.function, self.inputs, self.count, self.left(TIMED))
        self.walls = [cost[0] for cost in costs]
        self.result = result if result is not None else self.result
        if error is not None:
            self.tree["errors"].append({"call": self.called + len(costs) + 1, "error": describe(error)})
        self.tree["calls"] = self.facts["calls"] = len(costs)
        self._tell_costs(costs)
        return bool(costs)

    def _tell_costs(self, costs):
        columns = dict(zip(COSTS, zip(*costs, strict=True), strict=True)) if costs else {}
        for name in COSTS[1:]:
            self.facts[name] = _mean(columns.get(name, ()))
        if costs:  # the allocator learns from the first calls what to keep; what the others fault is what goes on
            self.facts["minor_faults"] = quantile(columns["minor_faults"], 0.5)
        wall = interval(self.walls) if self.walls else {}
        if costs:
            needed = interval([need(cost) for cost in costs])
            self.facts.update(need_s=needed["mean_s"], need_low_s=needed["low_s"], need_high_s=needed["high_s"])
        for name in ("blocked", "cpu"):
            values = columns.get(f"{name}_s", (None,))
            if None not in values:
                _, self.facts[f"{name}_low_s"], self.facts[f"{name}_high_s"] = _read.mean(values)
        self.tree["time"] = {**(wall or dict.fromkeys(("mean_s", "low_s", "high_s"))),
                             "p50_s": quantile(self.walls, 0.5) if self.walls else None,
                             "p99_s": quantile(self.walls, 0.99) if self.walls else None}
        self.tree["cpu"] = {key: self.facts[key] for key in ("cpu_s", "helper_cpu_s", "run_delay_s", "blocked_s")}
        self.tree["io"] = {key: self.facts[key] for key in ("read_bytes", "major_faults")}
        self.tree["memory"] = {"minor_faults": self.facts["minor_faults"]}
        clocks = {"cpu_s": "CPU of the thread", "helper_cpu_s": "CPU of helper threads", "run_delay_s": "run delay"}
        for name, what in clocks.items():
            if costs and self.facts[name] is None:
                self.lack(what, "the kernel's clock for it could not be read")

    # --- looked at ---

    def look(self):
        blocked, wall = self.facts["blocked_s"], self.facts["need_s"]
        waits = self.config.enable_io_tracking and blocked is not None and blocked >= 0.05 * wall
        if not (self.config.enable_cpu_tracking or waits):
            self.lack("CPU in the interpreter", "enable_cpu_tracking is off")
            return
        # Of a function that waits, looks at its waiting: as long as there is time for them.
        seconds = self.left(LOOKED) if not waits else min(self.left(LOOKED), LOOKED_WAITING_S)
        try:
            looks = _read.looks(self.function, self.inputs, seconds, LOOKED_CPU_S, waits)
        except Exception as problem:
            self.lack("CPU in the interpreter", f"the pass that looks at it failed: {describe(problem)}")
            return
        if self.config.enable_cpu_tracking:
            self.facts.update(cpu_looks=looks["cpu"], python_looks=looks["python"])
            share = looks["python"] / looks["cpu"] if looks["cpu"] else None
            self.tree["cpu"].update(python_share=share, looks=looks["cpu"])
            if share is None:
                self.lack("CPU in the interpreter", looks["why"] or "the calls took too little CPU to be looked at")
        if waits:
            self.facts.update({f"{name}_looks": looks[name] for name in WAITS})
            self.tree["io"]["waits"] = {name: looks[name] for name in WAITS}

    # --- memory ---

    def weigh(self):
        value = self.inputs.original(0)
        sizes = {"input_bytes": size_bytes(value), "output_bytes": size_bytes(self.result)}
        self.facts.update(sizes)
        self.tree["memory"].update(sizes)
        self.facts["pass_s"] = _read.pass_seconds(sum(sizes.values()))
        if not self.config.enable_memory_tracking:
            self.facts.update(minor_faults=None, no_memory="enable_memory_tracking is off")
            self.lack("memory allocated", "enable_memory_tracking is off")
            return
        page = os.sysconf("SC_PAGE_SIZE")
        self.facts.update(page_bytes=page, huge_page_bytes=_read.huge_page_bytes())
        for name, huge in (("fault", False), ("huge_fault", True)):
            keys = (f"{name}_s", f"{name}_low_s", f"{name}_high_s")
            self.facts.update(zip(keys, _read.fault_seconds(huge), strict=True))
        self.tree["memory"].update(fault_s=self.facts["fault_s"], faulted_bytes=self.facts["minor_faults"] * page)
        try:
            held = self._held_at_most()
        except Exception as problem:
            self.lack("memory allocated", f"the pass that weighs it failed: {describe(problem)}")
            return
        self.facts["allocated_bytes"] = self.tree["memory"]["allocated_bytes"] = held

    def _held_at_most(self):
        value, tracing = self.inputs(0), tracemalloc.is_tracing()
        if not tracing:
            tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            tracemalloc.reset_peak()
            self.function(value)
            return tracemalloc.get_traced_memory()[1] - before
        finally:
            if not tracing:
                tracemalloc.stop()

    # --- followed ---

    def follow(self):
        """On the first input; or, where a call on it takes too long to be followed, on as much of it as does not."""
        seconds = min(self.left(FOLLOWED), FOLLOWED_S)
        value = self.inputs.original(0)
        length = None if self.inputs.per_sample else extent(value)
        lengths = [length, *(length // share for share in PARTS if length >= 2 * share)] if length else [None]
        for length in lengths:
            try:
                self._follow(value if length in (None, lengths[0]) else part(value, length), seconds / len(lengths))
                return
            except TooLong as problem:
                why = str(problem)
            except Exception as problem:
                why = f"the pass that follows a call failed: {describe(problem)}"
                break
        self.facts["no_lines"] = why
        self.lack("lines and calls", why)

    def _follow(self, value, seconds):
        given = _repeat(value, self.inputs.copies)
        timed, _, error = _read.measure(self.function, given, 3, seconds)
        if error is not None:
            raise error
        # Twice, since another program may have come in between; the shorter one tells.
        both = [follow_lines(self.function, given(0), seconds) for _ in range(2)]
        lines = min(both, key=lambda told: sum(line[2] for line in told))
        self._tell_calls([follow_calls(self.function, given(0), seconds) for _ in range(2)])
        self.facts.update(followed_elements=element_count(value))
        self.facts.update(lines=lines, followed_cpu_s=min(cost[1] or 0.0 for cost in timed))
        spent = sum(line[2] for line in lines) or 1
        self.tree["lines"] = [{"where": where, "runs": runs, "share": seconds / spent}
                              for where, runs, seconds, _ in sorted(lines, key=lambda line: -line[2])[:LINES_SHOWN]]

    def _tell_calls(self, followed):
        facts = self.facts
        copies, again = [calls.copy_share() for calls in followed], [calls.duplicate_share() for calls in followed]
        if self.config.enable_memory_tracking:
            facts.update(copy_share=_mean(copies), copy_low_share=min(copies), copy_high_share=max(copies))
        facts.update(duplicate_share=_mean(again), duplicate_low_share=min(again), duplicate_high_share=max(again))
        last = followed[-1]
        copy = last.top(last.copies)
        if copy:
            facts.update(copy_name=copy[0], copy_where=copy[1])
        twice = last.top(last.again)
        if twice:
            facts.update(duplicate_name=twice[0], duplicate_where=twice[1],
                         duplicate_calls=sum(calls for calls, _ in last.again.values()))
        package = last.top(last.packages)
        if package:
            facts.update(native_module=package, native_share=min(1.0, last.packages[package] / last.seconds))
        if is_tensor(self.inputs.original(0)):
            counted = count_tensor_calls(self.function, self.inputs(0))
            if counted:
                facts["tensor_calls"] = counted[0]
                if counted[1] > facts.get("native_share", 0):
                    facts.update(native_module="torch", native_share=min(1.0, counted[1]))
        self.tree["library"] = {"name": facts.get("native_module"), "share": facts.get("native_share")}

    # --- sizes ---

    def size(self):
        value = self.inputs.original(0)
        length = extent(value)
        if length is None or length < 4:
            self._no_sizes(f"a {kind(value)} is not cut into parts" if length is None
                           else f"its length is {length}: too few parts")
            return
        sizes = sorted({max(1, length // share) for share in SIZES})
        seconds = self.left(SIZED)
        try:
            times = time_in_turns([(self.function, _repeat(part(value, size), self.inputs.copies)) for size in sizes], 5, seconds)
        except Exception as problem:
            self._no_sizes(f"it fails on a part of its input: {describe(problem)}")
            return
        pairs = [(size, wall) for size, walls in zip(sizes, times, strict=True) for wall in walls]
        exponent, low, high = _read.growth(*zip(*pairs, strict=True))
        self.facts.update(growth=exponent, growth_low=low, growth_high=high)
        self.facts.update(growth_size=length, growth_least_size=sizes[0])
        rows = [{"size": size, "mean_s": _mean(walls)} for size, walls in zip(sizes, times, strict=True)]
        self.tree["scaling"] = {"sizes": rows, "exponent": exponent, "low": low, "high": high}

    def _no_sizes(self, why):
        self.facts["no_sizes"] = why
        self.lack("growth with the input's size", why)

    # --- a device ---

    def try_device(self):
        why = self._why_no_device()
        if why is None:
            try:
                walls = self._time_on_device()
            except Exception as problem:
                why = f"the function does not run on the device: {describe(problem)}"
            else:
                mean, low, high = _read.mean(walls)
                name = sys.modules["torch"].cuda.get_device_name()
                self.facts.update(device=1, device_s=mean, device_low_s=low, device_high_s=high, device_name=name)
                self.tree["device"] = {"name": name, "call_s": mean, "low_s": low, "high_s": high}
                return
        self.facts["no_device"] = why
        self.lack("device", why)

    def _why_no_device(self):
        if not self.config.enable_gpu_tracking:
            return "enable_gpu_tracking is off"
        if sys.modules.get("torch") is None:
            return "torch is not loaded, so nothing here runs on a device"
        if not sys.modules["torch"].cuda.is_available():
            return "torch sees no CUDA device"
        value = self.inputs.original(0)
        if not is_tensor(value):
            return f"data is a {kind(value)}, not a tensor that a device could hold"
        return "its input is on the device already" if value.is_cuda else None

    def _time_on_device(self):
        torch = loaded("torch", "cuda")

        def there_and_back(value):
            result = self.function(value.cuda())
            torch.synchronize()
            return result.cpu() if is_tensor(result) else result

        there_and_back(self.inputs(0))
        costs, _, error = _read.measure(there_and_back, self.inputs, max(5, self.count), self.left(LOOKED))
        if error is not None:
            raise error
        return [cost[0] for cost in costs]


def _repeat(value, copies):
    return lambda _: copied(value) if copies else value


def time_in_turns(pairs, rounds, seconds, least=1):
    """What calls of each (function, prepare) need, one of each in turn, so that what drifts drifts for all.

    Raises what they raise. Each is called once before, unmeasured. A round is begun as long as there is time, or there were
    fewer than `least`.
    """
    end = time.monotonic() + seconds
    walls = [[] for _ in pairs]
    for turn in range(rounds + 1):
        if turn > least and time.monotonic() > end:
            break
        for at, (function, prepare) in enumerate(pairs):
            costs, _, error = _read.measure(function, prepare, 1, 0.0)
            if error is not None:
                raise error
            if turn:
                walls[at].append(need(costs[0]))
    return walls


def same_kind(left, right):
    return shape(left) == shape(right)
