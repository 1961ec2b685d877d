"""Whether keeping results would pay, and the cache that does it.

Inputs are told apart by a hash of their content, so a cache holds no input; results are handed out as copies, so that whoever
changes one changes nobody else's.
"""

import functools
import os
import time
from collections import OrderedDict

from . import _read
from .call_inputs import copied, fingerprint, name_of, sample_count, samples, size_bytes
from .call_profile import need

INPUTS_MAX = 20000
SECONDS_MAX = 2.0  # for hashing them


class ResultCache:
    """Stands in front of a deterministic function: the last `size` results, dropped when they were unused longest.

    `hits` and `misses` count; an argument that cannot be told by its content goes through, uncounted. `uncached` is the function.
    """

    def __init__(self, function, size):
        self.uncached, self.size = function, size
        self.hits = self.misses = 0
        self._kept = OrderedDict()
        functools.update_wrapper(self, function, updated=())
        self.__name__ = getattr(function, "__name__", name_of(function))

    def __call__(self, value):
        key = fingerprint(value)
        if key is None:
            return self.uncached(value)
        if key in self._kept:
            self.hits += 1
            self._kept.move_to_end(key)
            return copied(self._kept[key])
        self.misses += 1
        result = self.uncached(value)
        self._kept[key] = copied(result)
        if len(self._kept) > self.size:
            self._kept.popitem(last=False)
        return result

    def __repr__(self):
        told = f"{len(self._kept)} of {self.size} results, {self.hits} hits, {self.misses} misses"
        return f"<ResultCache of {self.__name__}: {told}>"


def played_through(keys, size):
    """(hits, entries at the end) of a cache of that size that drops what was unused longest."""
    kept, hits = OrderedDict(), 0
    for key in keys:
        if key in kept:
            hits += 1
            kept.move_to_end(key)
        elif size:
            kept[key] = True
            if len(kept) > size:
                kept.popitem(last=False)
    return hits, len(kept)


def memory_available_bytes():
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            for line in file:
                if line.startswith("MemAvailable:"):
                    return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_AVPHYS_PAGES")


def is_deterministic(function, inputs):
    """Equal results for equal inputs when run twice; None where results cannot be compared."""
    first, second = (fingerprint(function(inputs(0))) for _ in range(2))
    return None if first is None else first == second


def _is_row_wise(measuring):
    """Whether each sample of a batch comes out as it would alone: only then can a single one be kept."""
    data, result = measuring.inputs.data, measuring.result
    if sample_count(result) != sample_count(data):
        return False
    for at in {0, sample_count(data) - 1}:
        alone = measuring.function(copied(samples(data, at, at + 1)))
        whole = fingerprint(samples(result, at, at + 1))
        if whole is None or fingerprint(alone) != whole:
            return False
    return True


def _keys(data):
    """(hashes of the samples, seconds a hash): as many as there is time for."""
    keys, begin, begin_cpu = [], time.perf_counter(), time.thread_time()
    for at in range(min(sample_count(data), INPUTS_MAX)):
        keys.append(fingerprint(data[at]))
        if time.perf_counter() - begin > SECONDS_MAX:
            break
    return keys, (time.thread_time() - begin_cpu) / len(keys)


def _copying_s(result):
    costs, _, _ = _read.measure(copied, lambda _: result, 5, 1.0)
    return min(map(need, costs))


def look_for_repetition(measuring):
    """Fills the facts of caching; says why where it cannot."""
    why = _why_not(measuring)
    if why is None:
        try:
            why = _look(measuring)
        except Exception as problem:
            why = f"the pass that looks for repetition failed: {type(problem).__name__}: {problem}"
    if why is not None:
        measuring.facts["no_units"] = why
        measuring.lack("caching", why)


def _why_not(measuring):
    inputs = measuring.inputs
    if not measuring.config.enable_caching:
        return "enable_caching is off"
    if isinstance(measuring.function, ResultCache):
        return f"a cache of {measuring.function.size} results stands in front of it already"
    if not inputs.copies:
        return inputs.why_no_copies
    if not (sample_count(inputs.data) or 0) > 1:
        return "data is one input, which repeats or not as its caller pleases"
    return None


def _look(measuring):
    inputs, facts = measuring.inputs, measuring.facts
    deterministic = is_deterministic(measuring.function, inputs)
    if deterministic is None:
        return "its results cannot be compared by content"
    if not inputs.per_sample and deterministic and not _is_row_wise(measuring):
        return "a sample comes out of a batch otherwise than alone, so only whole calls could be kept, and data is one of them"
    keys, hashing_s = _keys(inputs.data)
    if None in keys:
        return "its inputs cannot be compared by content"
    hits, entries = played_through(keys, measuring.config.cache_size)
    units = 1 if inputs.per_sample else sample_count(inputs.data)
    entry_bytes = size_bytes(measuring.result) / units
    unit_s = facts["need_s"] / units
    lookup_s = hashing_s + _copying_s(measuring.result) / units
    facts.update(units=len(keys), unit_s=unit_s, hit_share=hits / len(keys), deterministic=float(deterministic),
                 lookup_s=lookup_s, entries=entries, entry_bytes=entry_bytes, memory_bytes=memory_available_bytes())
    measuring.tree["caching"] = {
        "inputs": len(keys), "repeated_share": 1 - len(set(keys)) / len(keys), "hit_share": hits / len(keys),
        "deterministic": deterministic, "cache_size": measuring.config.cache_size, "entries": entries,
        "cache_bytes": entries * entry_bytes, "input_s": unit_s, "lookup_s": lookup_s,
        "saved_s": hits * unit_s - len(keys) * lookup_s if deterministic else None}
    return None
