"""The tuning loop over a function: what can be applied to it, whether that helped, and how it was before."""

import math

from . import _read
from .call_cache import ResultCache
from .call_inputs import copied, name_of, sample_count, samples
from .call_profile import rate_words, time_in_turns

PASS_SAMPLES = 512  # of the data, in a pass that is timed
ROUNDS = 9
ROUNDS_LEAST = 5  # the fewest that give an interval


def _confidence(low, mean, high):
    """As of a finding: half of the interval against the value. C's bounds (judge.c)."""
    if low is None or high is None:
        return "low"
    width = (high - low) / 2 / mean
    return "high" if width <= 0.25 else "medium" if width <= 0.6 else "low"


def optimum(tree, batches):
    """As OptimalPreprocessing has it. `tree` may be None: then nothing is known of caching."""
    measured = [batch for batch in batches if batch["samples_per_s"]]
    trials = [(batch["batch_size"], *(batch["samples_per_s"][key] for key in ("mean", "low", "high"))) for batch in measured]
    chosen = _read.choose(trials) if trials else -1
    rate = measured[chosen]["samples_per_s"] if chosen >= 0 else tree and tree["samples_per_s"]
    why = [_why_batch(measured, chosen, batches)]
    cache = _cache(tree, why)
    return {"function": (tree or batches[0])["name"], "batch_size": measured[chosen]["batch_size"] if chosen >= 0 else None,
            "samples_per_s": rate["mean"] if rate else None, "samples_per_s_ci": [rate["low"], rate["high"]] if rate else None,
            "cache": cache is not None, "cache_entries": cache["entries"] if cache else 0,
            "cache_bytes": cache["cache_bytes"] if cache else 0,
            "confidence": _confidence(rate["low"], rate["mean"], rate["high"]) if rate else "low", "why": why}


def _why_batch(measured, chosen, batches):
    if chosen < 0:
        return ("No batch size is chosen: profile_batch_preprocessing() tries them." if not batches
                else f"No batch size could be measured: {batches[0]['errors'][0]['error']}.")
    best = max(measured, key=lambda batch: batch["samples_per_s"]["mean"])
    own = measured[chosen]
    told = f"Batch size {own['batch_size']}: {rate_words(own['samples_per_s']['mean'])} samples a second"
    if best is own:
        return f"{told}, the most of the {len(measured)} sizes."
    most = rate_words(best["samples_per_s"]["mean"])
    return f"{told}, which noise cannot tell from the most, {most} with {best['batch_size']}, and it is the smallest of those."


def _cache(tree, why):
    """The profile's caching, where a finding says that it pays."""
    if tree is None or not tree.get("caching"):
        reasons = [entry["why"] for entry in (tree or {}).get("not_measured", ()) if entry["what"] == "caching"]
        why.append("No cache: " + (f"{reasons[0]}." if reasons else "profile_preprocessing_function() looks for repetition."))
        return None
    caching = tree["caching"]
    if any(finding["id"] == "SM206" for finding in tree["findings"]):
        why.append(f"Cache {caching['entries']} results ({caching['cache_bytes'] / 1e6:.3g} MB): "
                   f"{caching['hit_share']:.0%} of the inputs had been there before.")
        return caching
    why.append("No cache: " + ("its results differ from call to call." if not caching["deterministic"] else
                               "no input comes again." if not caching["hit_share"] else
                               "it would save too little, or take too much memory."))
    return None


# --- suggestions ---


def suggestions(trees, tuning):
    found = []
    sizes = {tree["batch_size"] for tree in trees if tree.get("batch_size")}
    for tree in trees:
        for finding in tree["findings"]:
            for suggestion in finding["suggestions"]:
                found.append({**suggestion, "id": finding["id"], "type": finding["type"], "severity": finding["severity"],
                              "name": finding["where"]["name"], "of_batch_size": tree.get("batch_size"),
                              **_applicable(suggestion["change"], tree, tuning, sizes)})
    return sorted(found, key=lambda entry: -(entry["severity"] or 0))


def _applicable(change, tree, tuning, sizes):
    why = None
    if not change:
        why = "a change of the code, which is yours to make"
    elif tuning is None:
        why = "the function is not at hand: these figures were loaded"
    elif "cache_size" in change and not tuning.inputs.per_sample:
        why = "the function takes whole batches, and a cache keeps samples"
    elif "batch_size" in change and tree["batch_size"] != tuning.batch_size_now():
        why = f"said of batches of {tree['batch_size']}, not of {tuning.batch_size_now()}"
    elif "batch_size" in change and change["batch_size"] not in sizes:
        why = "a batch of that size was not measured: put it into batch_size_range"
    elif "batch_size" in change and tuning.inputs.per_sample:
        why = "the function takes one sample at a time"
    return {"applicable": why is None, "why_not": why}


class Tuning:
    """One function: as it was, as it stands, and what was done to it."""

    def __init__(self, function, inputs):
        self.function, self.inputs = function, inputs
        self.cache_size, self.batch_size = 0, None
        self.first_batch_size = None
        self.call_s = 0.0  # of the function, roughly
        self.log = []
        self._current = function

    def current(self):
        return self._current

    def batch_size_now(self):
        return self.batch_size or self.first_batch_size

    def _set(self, cache_size, batch_size):
        if cache_size != self.cache_size:
            self._current = ResultCache(self.function, cache_size) if cache_size else self.function
        self.cache_size, self.batch_size = cache_size, batch_size

    def revert(self):
        for entry in self.log:
            if entry["kept"]:
                entry.update(kept=False, why="taken back when everything was")
        self._set(0, None)

    def apply(self, chosen, asked, config):
        """Those that can be; what was asked for and cannot be is refused with the reason."""
        done = []
        for suggestion in chosen:
            change = suggestion.get("change") or {}
            if suggestion.get("applicable", bool(change)) and change:
                done.append(self._apply_one(change, suggestion, config))
            elif asked:
                why = suggestion.get("why_not") or "it holds no change of a setting"
                done.append({"change": change, "kept": False, "why": why})
        self.log += done
        return [dict(entry) for entry in done]

    def _apply_one(self, change, suggestion, config):
        before = (self.cache_size, self.batch_size)
        self._set(change.get("cache_size", self.cache_size), change.get("batch_size", self.batch_size))
        entry = {"change": change, "kept": True, "predicted_speedup": suggestion.get("predicted_speedup"), "speedup": None,
                 "why": self._disclosed(change)}
        if config.auto_optimize:
            entry["speedup"] = list(self._against(before, config.profiling_duration))
            if not (entry["speedup"][1] is not None and entry["speedup"][1] > 1):
                self._set(*before)
                entry.update(kept=False, why="tried in turns with what was before"
                             f"{self._tried_on(config.profiling_duration)}, it did not help; taken back")
        return entry

    def _tried_on(self, seconds):
        """Where a pass over all of the data would have taken too long."""
        count, all_of_it = self._pass_samples(seconds), sample_count(self.inputs.data) or 1
        return f" on the first {count} of {all_of_it} samples" if count < all_of_it else ""

    def _disclosed(self, change):
        told = []
        if "cache_size" in change:
            told.append(f"results are kept, {change['cache_size']} at most, and handed out as copies; each process has its own")
        if "batch_size" in change:
            told.append(f"batches of {change['batch_size']}: give optimized_function that many samples at a time")
        return "; ".join(told)

    # --- timed against each other ---

    def _pass_samples(self, seconds):
        count = min(sample_count(self.inputs.data) or 1, PASS_SAMPLES)
        if self.inputs.per_sample:
            count = min(count, max(1, int(seconds / 2 / (ROUNDS_LEAST + 1) / max(self.call_s, 1e-9))))
        return count

    def _pass(self, cache_size, batch_size, seconds):
        """A pass over the data, as far as there is time for ROUNDS of both: with a cache of its own, cold."""
        count = self._pass_samples(seconds)
        size = batch_size or self.first_batch_size
        data = self.inputs

        def batches():
            if data.per_sample:
                return [copied(data.original(at)) if data.copies else data.original(at) for at in range(count)]
            if size is None:
                return [data(0)]
            cut = [samples(data.data, at, min(at + size, count)) for at in range(0, count, size)]
            return [copied(batch) for batch in cut] if data.copies else cut

        def run(inputs):
            function = ResultCache(self.function, cache_size) if cache_size else self.function
            for value in inputs:
                function(value)

        return run, lambda _: batches()

    def _against(self, before, seconds):
        passes = [self._pass(*before, seconds), self._pass(self.cache_size, self.batch_size, seconds)]
        walls = time_in_turns(passes, ROUNDS, seconds, ROUNDS_LEAST)
        return _read.compare(*walls)

    def improvement(self, seconds):
        if (self.cache_size, self.batch_size) == (0, None):
            return 0.0
        ratio = self._against((0, None), seconds)[0]
        return math.nan if ratio is None else (ratio - 1) * 100

    def __repr__(self):
        return f"<Tuning of {name_of(self.function)}: cache of {self.cache_size}, batch size {self.batch_size_now()}>"
