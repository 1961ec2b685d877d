"""PreprocessingProfiler: what one preprocessing function does with its time, and what would make it faster.

    profiler = PreprocessingProfiler()
    profile = profiler.profile_preprocessing_function(normalize, sample_data)
    print(profile)                                   # or profile.findings, profile.time.mean_s, ...
    profiler.profile_batch_preprocessing(normalize, sample_data)
    print(profiler.get_optimal_preprocessing_config())
    profiler.generate_optimization_report()

The function is called with one argument. Each call gets a copy of its own, made outside the measured time, so the data stay as
they are whatever the function does with them; random numbers go on afterwards as if nothing had been drawn.
"""

import datetime
import json
import os

from . import _read, call_tuning
from .call_batches import batch_findings, measure_batches
from .call_cache import look_for_repetition
from .call_inputs import KeptRandom, is_data_set, members_of, name_of, sample_count
from .call_members import profile_members
from .call_profile import Inputs, Measuring, describe, rate
from .configs import PreprocessingProfilerConfig
from .kinds import PreprocessingBottleneck
from .report import Fields

__all__ = ["OptimalPreprocessing", "PreprocessingBottleneck", "PreprocessingProfile", "PreprocessingProfiler",
           "PreprocessingProfilerConfig"]
SCHEMA = "stallmeter/preprocessing/1"
MEMBERS_SHARE = 0.5  # of the time there is, where there are any


class PreprocessingProfile(Fields):
    """What was measured of one function, or of one batch size of it. Fields are those of docs/preprocessing-profiler.md."""

    __slots__ = ()

    @property
    def bottlenecks(self):
        """The types of its findings, the largest first."""
        return list(dict.fromkeys(PreprocessingBottleneck(finding["type"]) for finding in self._fields["findings"]))

    def to_dict(self):
        return self._fields

    def _page(self):
        from .call_report import page_of_profile

        return page_of_profile(self._fields)

    def __str__(self):
        return self._page().text_form()

    def __repr__(self):
        mean = self._fields["time"]["mean_s"]
        took = f"{mean:.3g} s a call" if mean is not None else "not measured"
        return f"<PreprocessingProfile of {self._fields['name']}: {took}, {len(self._fields['findings'])} findings>"

    def _repr_html_(self):
        return _framed(self._page())


class OptimalPreprocessing(Fields):
    """What to set: `batch_size`, `cache`, `cache_entries`; what to expect; how sure that is, and why."""

    __slots__ = ()

    def to_dict(self):
        return self._fields

    def __str__(self):
        return "\n".join(self._fields["why"])

    def __repr__(self):
        told = ", ".join(f"{key}={self._fields[key]!r}" for key in ("batch_size", "cache", "cache_entries", "confidence"))
        return f"<OptimalPreprocessing of {self._fields['function']}: {told}>"


def _framed(page):
    import html

    return (f'<iframe srcdoc="{html.escape(page.html(), quote=True)}" title="stallmeter preprocessing" '
            'style="width:100%;height:720px;border:0"></iframe>')


def _checked(function, data):
    if not callable(function):
        raise TypeError(f"function: {function!r} cannot be called")
    if data is None:
        raise TypeError("data: None is no input")
    if hasattr(data, "__next__"):
        raise TypeError(f"data: a {type(data).__name__} gives its values once, and they are needed again; give a list of them")
    try:
        empty = len(data) == 0
    except TypeError:
        return
    if empty:
        raise ValueError("data: it is empty")


class PreprocessingProfiler:
    """Profiles functions; `config` says for how long, over which batch sizes, and what is looked at."""

    def __init__(self, config=None):
        if config is not None and not isinstance(config, PreprocessingProfilerConfig):
            raise TypeError(f"config: {config!r} is no PreprocessingProfilerConfig")
        self.config = config or PreprocessingProfilerConfig()
        self.profiles = []  # of functions, the newest last
        self.batch_profiles = []  # of the last function whose batch sizes were tried
        self._tuning = None

    # --- profiling ---

    def profile_preprocessing_function(self, function, data, num_iterations=10, *, per_sample=None):
        """Calls function(data) `num_iterations` times and tells what the time goes into.

        Where `function` does not take the data whole, but its samples, it is called with those in turn; that is
        tried, and `per_sample` says it: True or False. A Compose is given the samples of a list first. One call more,
        the first, is a warm-up; `profiling_duration` bounds all of it, so there may be fewer calls than asked for. A
        call that fails ends the timing; what was measured before is kept, and the profile's `errors` name the call.
        ValueError where the first fails.
        """
        if isinstance(num_iterations, bool) or not hasattr(num_iterations, "__index__"):
            raise TypeError(f"num_iterations: {num_iterations!r} is not a whole number")
        if num_iterations < 1:
            raise ValueError(f"num_iterations: {num_iterations!r} is below 1")
        _checked(function, data)
        with KeptRandom():
            inputs = _inputs_for(function, data, per_sample)
            tree = self._profile(function, inputs, num_iterations, self.config.profiling_duration)
        profile = PreprocessingProfile(tree)
        self.profiles.append(profile)
        self._remember(function, inputs)
        self._tuning.call_s = tree["time"]["mean_s"] or inputs.first[0]
        self._after_profiling(tree["name"])
        return profile

    def _profile(self, function, inputs, count, seconds):
        measuring = Measuring(function, inputs, count, seconds, self.config)
        measuring.first_call()
        measuring.tree.update(kind="function", per_sample=inputs.per_sample, copied=inputs.copies,
                              samples=1 if inputs.per_sample else sample_count(inputs.data))
        if not inputs.copies:
            measuring.lack("input unchanged by measuring", f"{inputs.why_no_copies}; every call got the same object")
        if measuring.time_calls():
            self._passes(measuring)
        return _finished(measuring)

    def _passes(self, measuring):
        """Each says itself what it cannot measure. A function that fails now and then may fail in any of them."""
        members = members_of(measuring.function)
        measuring.weigh()
        measuring.look()
        measuring.follow()
        measuring.size()
        measuring.try_device()
        look_for_repetition(measuring)
        measuring.facts["no_batches"] = "profile_batch_preprocessing() tries batch sizes"
        if members:
            seconds = measuring.left(MEMBERS_SHARE)
            profile_members(measuring, members, lambda member, inputs, share: self._profile(
                member, inputs, measuring.count, max(seconds * share, 0.1)))

    def profile_batch_preprocessing(self, function, data, *, per_sample=None):
        """Calls function with batches of each size of `batch_size_range`, in turns, and returns a profile for each.

        Batches are cut from `data` one behind the other, from the beginning again at its end; where the function takes single
        samples only, a batch is that many calls. A size that fails has its error in its profile.
        """
        _checked(function, data)
        if sample_count(data) is None:
            raise TypeError(f"data: {type(data).__name__} cannot be cut into batches; give a list or an array of samples")
        with KeptRandom():
            inputs = _inputs_for(function, data, per_sample)
            trees = measure_batches(function, inputs, self.config)
        for tree in trees:
            batch_findings(tree, trees)
        self.batch_profiles = [PreprocessingProfile(tree) for tree in trees]
        self._remember(function, inputs)
        self._tuning.first_batch_size = trees[0]["batch_size"]
        self._after_profiling(trees[0]["name"] + "-batches")
        return list(self.batch_profiles)

    def _after_profiling(self, name):
        if self.config.save_profiles:
            self.save_profiling_results(self._free_path(name, ".json"))
        if self.config.auto_optimize:
            self.apply_optimizations()

    # --- the optimum ---

    def get_optimal_preprocessing_config(self):
        """Batch size, cache and expected rate, from what was profiled last. RuntimeError where nothing was profiled."""
        if not self.profiles and not self.batch_profiles:
            raise RuntimeError("nothing was profiled yet: call profile_batch_preprocessing() or profile_preprocessing_function()")
        return OptimalPreprocessing(call_tuning.optimum(self._newest(), [profile._fields for profile in self.batch_profiles]))

    def _newest(self):
        """The newest profile of the function whose batches were tried, if there were any; else the newest."""
        if not self.batch_profiles:
            return self.profiles[-1]._fields
        name = self.batch_profiles[0]["name"]
        return next((profile._fields for profile in reversed(self.profiles) if profile["name"] == name), None)

    # --- the tuning loop ---

    def _remember(self, function, inputs):
        if self._tuning is None or self._tuning.current() is not function:
            self._tuning = call_tuning.Tuning(function, inputs)
        self._tuning.inputs = inputs
        self._tuning.call_s = inputs.first[0]

    def _tuned(self):
        if self._tuning is None:
            raise RuntimeError("no function was profiled yet: call profile_preprocessing_function() first")
        return self._tuning

    @property
    def optimized_function(self):
        """The function as it stands after apply_optimizations(): itself, or with a cache in front."""
        return self._tuned().current()

    @property
    def batch_size(self):
        """As it stands after apply_optimizations(); None where no batch size was chosen."""
        return self._tuned().batch_size

    @property
    def optimizations(self):
        """What was applied, taken back or refused, and why: a list of dicts, the oldest first."""
        return [dict(entry) for entry in self._tuning.log] if self._tuning else []

    def profile_current_configuration(self, num_iterations=10):
        """Profiles the function that was profiled last again, as it stands now. RuntimeError where there is none."""
        tuning = self._tuned()
        return self.profile_preprocessing_function(tuning.current(), tuning.inputs.data, num_iterations,
                                                   per_sample=tuning.inputs.per_sample or None)

    def get_optimization_suggestions(self):
        """What the findings of the newest profiles advise, the largest gain first: a list of dicts with `text`, `change`,
        `predicted_speedup`, the finding's `id`, `type` and `severity`, and `applicable` with `why_not`."""
        trees = [profile._fields for profile in self.batch_profiles]
        trees += [self.profiles[-1]._fields] if self.profiles else []
        return call_tuning.suggestions(trees, self._tuning)

    def apply_optimizations(self, optimizations=None):
        """Applies what can be applied to a function: a cache in front of it, and a batch size; returns what was done.

        Without `optimizations` all applicable suggestions. Nothing of yours is changed: `optimized_function` is another callable,
        and revert_optimizations() takes everything back. With `auto_optimize` each is tried against what was before, in turns,
        and taken back where it did not help.
        """
        tuning = self._tuned()
        chosen = self.get_optimization_suggestions() if optimizations is None else list(optimizations)
        with KeptRandom():
            return tuning.apply(chosen, optimizations is not None, self.config)

    def revert_optimizations(self):
        """The function and batch size as they were when they were first profiled."""
        self._tuned().revert()

    def measure_improvement(self):
        """How much faster a pass over the data is now than before apply_optimizations(), in percent; nan without a baseline."""
        if self._tuning is None:
            return float("nan")
        with KeptRandom():
            return self._tuning.improvement(self.config.profiling_duration)

    # --- files ---

    def to_dict(self):
        try:
            optimal = self.get_optimal_preprocessing_config().to_dict()
        except RuntimeError:
            optimal = None
        return {"schema": SCHEMA, "profiles": [profile._fields for profile in self.profiles],
                "batch_profiles": [profile._fields for profile in self.batch_profiles],
                "optimal": optimal, "optimizations": self.optimizations}

    def save_profiling_results(self, path):
        """Writes the profiles to a .json or a .pt file. Returns the path."""
        path = os.fspath(path)
        ending = os.path.splitext(path)[1].lower()
        text = json.dumps(self.to_dict(), indent=2) + "\n"
        if ending == ".json":
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        elif ending == ".pt":
            from .results import save_tensor

            save_tensor(path, text.encode())
        else:
            raise ValueError(f"path: {path!r} ends in none of .json, .pt")
        return path

    def load_profiling_results(self, path):
        """Takes the profiles of an earlier save_profiling_results() and returns them. Nothing in it is executed or unpickled.

        FileNotFoundError for what is not there, TraceError for what is damaged or none of ours.
        """
        path = os.fspath(path)
        ending = os.path.splitext(path)[1].lower()
        if ending not in (".json", ".pt"):
            raise ValueError(f"path: {path!r} ends in none of .json, .pt")
        if ending == ".pt":
            from .results import load_tensor

            data = load_tensor(path, _read.TraceError)
        else:
            with open(path, "rb") as file:
                data = file.read()
        found = _results_in(data, path)
        self.profiles = [PreprocessingProfile(tree) for tree in found["profiles"]]
        self.batch_profiles = [PreprocessingProfile(tree) for tree in found["batch_profiles"]]
        self._tuning = None
        return [*self.profiles, *self.batch_profiles]

    def _free_path(self, name, ending):
        """A name in `profile_output_dir` that is not taken."""
        folder = os.fspath(self.config.profile_output_dir)
        os.makedirs(folder, exist_ok=True)
        plain = "".join(letter if letter.isalnum() or letter in "._-" else "_" for letter in name)
        first = os.path.join(folder, f"{plain}-{datetime.datetime.now():%Y%m%d-%H%M%S}")
        path, number = first + ending, 2
        while os.path.exists(path):
            path, number = f"{first}-{number}{ending}", number + 1
        return path

    def generate_optimization_report(self, path=None):
        """Writes the report as one HTML page that needs no network, and as Markdown beside it. Returns the page's path.

        `path` ends in .html; without one it is named after the time, in `profile_output_dir`.
        """
        path = os.fspath(path) if path is not None else None
        if path is not None and os.path.splitext(path)[1].lower() != ".html":
            raise ValueError(f"path: {path!r} does not end in .html")
        page = self._page()
        path = path or self._free_path("preprocessing-report", ".html")
        for name, text in ((path, page.html()), (os.path.splitext(path)[0] + ".md", page.markdown())):
            with open(name, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def _page(self):
        from .call_report import page_of

        return page_of(self)

    def _repr_html_(self):
        return _framed(self._page())


def _ways(function, data, per_sample):
    """In the order in which they are tried."""
    if per_sample is not None:
        if type(per_sample) is not bool:
            raise TypeError(f"per_sample: {per_sample!r} is none of True, False, None")
        if per_sample and sample_count(data) is None:
            raise ValueError(f"per_sample: {type(data).__name__} is one sample")
        return (per_sample,)
    if sample_count(data) is None:
        return (False,)
    samples_first = is_data_set(data) or (isinstance(data, (list, tuple)) and members_of(function))
    return (True, False) if samples_first else (False, True)


def _inputs_for(function, data, asked):
    """The data whole, or its samples, whichever the function takes: tried, on a copy."""
    problems = []
    ways = _ways(function, data, asked)
    for per_sample in ways:
        try:
            inputs = Inputs(data, per_sample)
            inputs.tried = len(problems)
            inputs.call_first(function)
        except Exception as problem:
            problems.append(problem)
        else:
            return inputs
    told = "; and on another try, ".join(describe(problem) for problem in problems)
    raise ValueError(f"function: {name_of(function)} failed on its first call: {told}") from problems[0]


def _finished(measuring):
    """Judged by C, and with the reasons of everything that is not there."""
    tree = measuring.tree
    judged = _read.judge_calls(measuring.facts)
    tree["samples_per_s"] = rate(tree["time"], tree["samples"])
    tree["findings"], tree["passed"] = judged["findings"], judged["passed"]
    lacking = [{"what": what, "why": why} for what, why in measuring.lacking.items()]
    tree["not_measured"] = lacking + judged["not_measured"]
    for part in ("scaling", "caching", "device", "lines", "library", "memory", "io", "cpu"):
        tree.setdefault(part, None)
    return tree


def _results_in(data, path):
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise _read.TraceError(f"{path}: not JSON: {problem}") from None
    if type(found) is not dict or found.get("schema") != SCHEMA:
        schema = found.get("schema") if type(found) is dict else None
        raise _read.TraceError(f"{path}: its schema is {schema!r}, not {SCHEMA!r}")
    lists = [found.get(key) for key in ("profiles", "batch_profiles")]
    if not all(type(rows) is list and all(_is_profile(row) for row in rows) for rows in lists):
        raise _read.TraceError(f"{path}: damaged: its profiles are not as they were written")
    return found


def _is_profile(row):
    return type(row) is dict and {"name", "kind", "time", "findings", "passed", "not_measured", "errors"} <= row.keys()
