"""DataLoadingProfiler: which DataLoader settings suit a data set and a training, and what holds the loader back.

    profiler = stallmeter.DataLoadingProfiler()
    profiles = profiler.profile_configuration_range(dataset, consumer=training_step)
    optimal = profiler.get_optimal_configuration()
    loader = DataLoader(dataset, shuffle=True, **optimal.loader_arguments())
    profiler.generate_optimization_report()

Every configuration is tried in short rounds, in a random order (race.py), each trial as trials.py has it; one more run of
the first is recorded whole, and its report says what the loader waits for.
"""

import datetime
import json
import math
import multiprocessing
import os
import shutil
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from . import acting, trial_loaders, trials
from .configs import DataLoadingProfilerConfig
from .loading_grid import Configuration, Grid
from .profiling import GROUPS
from .progress import Progress
from .race import ROUNDS, Entrant, Race

SCHEMA = "stallmeter/data-loading/1"
RECORDED_SHARE, RECORDED_LONGEST_S = 0.15, 10.0  # of the time, for the run that is recorded
STEPS_LEAST = 30  # of it: the detectors want 20 (SM_JUDGE_STEPS_LEAST), and the interval some more
CLOSING_S = 0.5  # kept back, so that workers that hang are ended before the time is over
CURRENT_S = 20.0  # profile_current_configuration: at most, trials and recorded run
MEMORY_SHARE = 0.8  # of the memory that is free, beside what the job has: the specification's threshold of high use
ALIKE_SHARE = 0.05  # what noise hides may be this much slower than the best, and no more (SM_SEVERITY_ALIKE_PERCENT)
MEMORY_STEP_SHARE = 0.05  # less is a page cache that was warmer, or a garbage collection
WAITING_FACTOR = 4  # workers that mostly wait may be this many times the cores (contract: INSUFFICIENT_WORKERS)


@dataclass
class DataLoadingProfile:
    """What was measured of one configuration. None is what was not measured; `not_measured` says why."""

    batch_size: "int | None"
    num_workers: int
    prefetch_factor: "int | None" = None
    pin_memory: bool = False
    persistent_workers: bool = False
    in_order: "bool | None" = None
    multiprocessing_context: "str | None" = None
    samples_per_s: "float | None" = None
    samples_per_s_ci: "tuple[float, float] | None" = None  # 90 %
    batches: int = 0  # measured, without the warm-up
    rounds: int = 0
    dropped_after: "int | None" = None  # rounds; None: it stayed in to the end
    first_batch_s: "float | None" = None  # from making the iterator, median of the rounds
    worker_memory_bytes: "int | None" = None  # PSS of all workers: shared pages are divided between those who share
    worker_rss_bytes: "int | None" = None
    main_memory_bytes: "int | None" = None  # PSS
    main_rss_bytes: "int | None" = None
    cpu_cores: "float | None" = None  # in use by workers and main process
    read_bytes_per_s: "float | None" = None  # from storage
    transfer_s: "float | None" = None  # of one batch to the device
    transfer_bytes: "int | None" = None
    error: "str | None" = None
    findings: "list[dict[str, Any]]" = field(default_factory=list)
    not_measured: "dict[str, str]" = field(default_factory=dict)

    @property
    def configuration(self):
        return Configuration(self.batch_size, self.num_workers, self.prefetch_factor, self.pin_memory, self.persistent_workers,
                             self.in_order, self.multiprocessing_context)

    @property
    def memory_bytes(self):
        """Main process and workers."""
        parts = self.worker_memory_bytes, self.main_memory_bytes
        return None if None in parts else sum(parts)

    def loader_arguments(self):
        """The settings as keywords for DataLoader."""
        return self.configuration.arguments()


@dataclass
class OptimalConfiguration:
    """The settings to take: the smallest that measurement cannot tell from the best, within cores and memory."""

    batch_size: "int | None"
    num_workers: int
    prefetch_factor: "int | None"
    pin_memory: bool
    persistent_workers: bool
    in_order: "bool | None"
    multiprocessing_context: "str | None"
    samples_per_s: float
    samples_per_s_ci: "tuple[float, float] | None"
    confidence: str  # high, medium, low
    why: str
    profile: DataLoadingProfile

    def loader_arguments(self):
        """The settings as keywords for DataLoader."""
        return self.profile.loader_arguments()


class DataLoadingProfiler:
    """Finds DataLoader settings by measurement, and the bottlenecks of a loader. See docs/data-loading-profiler.md."""

    def __init__(self, config=None):
        if config is not None and not isinstance(config, DataLoadingProfilerConfig):
            raise TypeError(f"config: a {type(config).__name__} is no DataLoadingProfilerConfig")
        self.config = config if config is not None else DataLoadingProfilerConfig()
        self.profiles = []
        self.loader = None  # what profile_current_configuration() looks at and apply_optimizations() changes
        self.report = None  # of the newest recorded run
        self.not_measured = {}
        self._findings, self._host = [], {}
        self._mostly_waits = None
        self._is_range = False  # profiles are those of a range; else of the current loader, time after time
        self._consumer = self._grid = self._baseline = None
        self._refused = []

    # ------------------------------------------------------------------------------------------------ the range

    def profile_configuration_range(self, dataset, *, consumer=None, prefetch_factor=None, pin_memory=None,
                                    persistent_workers=None, in_order=None, multiprocessing_context=None, **loader_arguments):
        """Tries every configuration of the config's batch sizes and worker counts, and of the settings given here: each a
        value or a list of them. Takes at most the config's `profiling_duration`.

        `consumer(batch)` is the training's step: with it the optimum is that of the training, not of an empty loop.
        Further arguments go to every DataLoader; `batch_size` and `num_workers` stand for the config's ranges. Samples are
        drawn in a random order of our own unless `shuffle=False`, a sampler or an iterable data set say otherwise.
        Returns one DataLoadingProfile a configuration. An error of one trial is in its profile; TypeError and ValueError
        are for arguments that no configuration could use.
        """
        if consumer is not None and not callable(consumer):
            raise TypeError(f"consumer: {consumer!r} cannot be called with a batch")
        varied = dict(prefetch_factor=prefetch_factor, pin_memory=pin_memory, persistent_workers=persistent_workers,
                      in_order=in_order, multiprocessing_context=multiprocessing_context)
        grid = Grid(dataset, self.config, loader_arguments, varied)
        began = time.perf_counter()
        end = began + self.config.profiling_duration - min(CLOSING_S, self.config.profiling_duration / 10)
        self._grid, self._consumer, self.loader = grid, consumer, None
        entrants = [_Tried(setting, grid) for setting in grid.configurations]
        progress = Progress(f"profiling {len(entrants)} configurations", self.config.profiling_duration)
        try:
            with trials.same_randomness(grid.arguments.get("generator")):
                self._record(grid.loader(grid.configurations[0]), consumer,
                             min(RECORDED_SHARE * (end - began), RECORDED_LONGEST_S), end)
                progress.show()
                self._race(entrants, grid, consumer, end, progress)
        finally:
            progress.end()
        self.profiles, self._is_range = [entrant.profile(self.config) for entrant in entrants], True
        self.profiles[0].findings = list(self._findings)
        self._measure_transfer(entrants)
        if self.config.save_profiles:
            self.save_profiling_results(self._free_path("data-loading", ".json"))
        return list(self.profiles)

    def _race(self, entrants, grid, consumer, end, progress):
        lists = {}
        for entrant in entrants if self._mostly_waits is not None else ():
            if entrant.setting.num_workers > self.workers_most():  # is never proposed: once is enough to say what it reaches
                entrant.rounds_most = 1

        def attempt(entrant, seconds, end):
            size = entrant.setting.batch_size
            if size not in lists:
                lists[size] = grid.lists(entrant.setting)
            entrant.attempt(lists[size], consumer, seconds, end)

        Race(entrants, attempt, end, trial_loaders.SEED, lambda race: progress.show(f"round {race.round + 1}")).run()

    # -------------------------------------------------------------------------------------------- a recorded run

    def _record(self, loader, consumer, seconds, end):
        """One run of a loader, recorded whole; what its report finds becomes ours."""
        from . import profile

        self.report, self._findings, self._mostly_waits = None, [], None
        self.not_measured.pop("findings", None)
        end = min(end, time.perf_counter() + 2 * seconds)
        directory, kept = self._directory_of_run()
        try:
            with profile(directory, name="data-loading", without=self._left_out()) as run:
                error = _pass_over(loader, consumer, seconds, end)
            self.report = run.report
        except (OSError, RuntimeError, ValueError) as problem:
            error = trials.said(problem)
        finally:
            if not kept:
                shutil.rmtree(os.path.dirname(directory), ignore_errors=True)
        if self.report is not None:
            self._findings = json.loads(self.report.to_json())["findings"]
            self._host = dict(self.report["host"])
            self._mostly_waits = _mostly_waits(self.report)
        if error:
            self.not_measured["findings"] = f"the recorded run ended early: {error}"

    def _left_out(self):
        """The groups of counters that the config switches off."""
        return [group for group in GROUPS if not getattr(self.config, f"enable_{group}_tracking")]

    def _directory_of_run(self):
        if self.config.save_profiles:
            return self._free_path("run", ""), True
        return os.path.join(tempfile.mkdtemp(prefix="stallmeter-"), "run"), False

    def _free_path(self, name, ending):
        """A name in the output directory that is not taken."""
        folder = os.fspath(self.config.profile_output_dir)
        os.makedirs(folder, exist_ok=True)
        first = os.path.join(folder, f"{name}-{datetime.datetime.now():%Y%m%d-%H%M%S}")
        path, number = first + ending, 2
        while os.path.exists(path):
            path, number = f"{first}-{number}{ending}", number + 1
        return path

    def _measure_transfer(self, entrants):
        from . import transfer

        why = transfer.why_not() if self.config.enable_gpu_tracking else "enable_gpu_tracking is off"
        for entrant, profile in zip(entrants, self.profiles, strict=True):
            reason = why
            if reason is None and entrant.last_batch is None:
                reason = "no batch was measured"
            if reason is None:
                profile.transfer_bytes = transfer.bytes_of(entrant.last_batch)
                try:
                    profile.transfer_s = transfer.seconds_of(entrant.last_batch, profile.pin_memory)
                except RuntimeError as error:
                    reason = trials.said(error)
            if profile.transfer_s is None:
                profile.not_measured["transfer"] = reason or "the batch holds no tensor"
            entrant.last_batch = None

    # -------------------------------------------------------------------------------------------- what follows

    def get_optimal_configuration(self):
        """The smallest configuration whose rate noise cannot tell from the best, of those that usable cores and memory allow.

        ValueError before anything was profiled, RuntimeError where no configuration could be measured.
        """
        from . import _read

        if not self.profiles:
            raise ValueError("no configuration was profiled yet: call profile_configuration_range(dataset)")
        measured = [profile for profile in self.profiles if profile.samples_per_s is not None]
        if not measured:
            errors = [profile.error for profile in self.profiles if profile.error]
            raise RuntimeError(f"no configuration could be measured: {errors[0] if errors else 'the time was too short'}")
        allowed, limit = self._allowed(measured)
        best = max(allowed, key=lambda profile: profile.samples_per_s)
        allowed = [profile for profile in allowed if profile.samples_per_s >= (1 - ALIKE_SHARE) * best.samples_per_s]
        costs = _costs(allowed)
        ranks = {cost: rank for rank, cost in enumerate(sorted(set(costs)))}
        rates = [(float(ranks[cost]), profile.samples_per_s, *(profile.samples_per_s_ci or (math.nan, math.nan)))
                 for cost, profile in zip(costs, allowed, strict=True)]
        chosen = allowed[_read.choose(rates)]
        settings = {name: getattr(chosen, name) for name in Configuration.__dataclass_fields__}
        return OptimalConfiguration(**settings, samples_per_s=chosen.samples_per_s, samples_per_s_ci=chosen.samples_per_s_ci,
                                    confidence=self._confidence(chosen, best),
                                    why=self._why(chosen, best, measured, limit), profile=chosen)

    def usable_cores(self):
        """Those that affinity and control group leave."""
        cores = self._host.get("cpus_usable")
        return cores if cores is not None else len(os.sched_getaffinity(0))

    def workers_most(self):
        """As many as may be proposed: the usable cores, four times as many where a batch is mostly waiting."""
        cores = max(int(self.usable_cores()), 1)
        return WAITING_FACTOR * cores if self._waits() else cores

    def _waits(self):
        """Whether the work of a batch is mostly waiting: as recorded, else by the CPU of a trial without workers."""
        if self._mostly_waits is not None:
            return self._mostly_waits
        alone = [profile.cpu_cores for profile in self.profiles if profile.num_workers == 0 and profile.cpu_cores is not None]
        return bool(alone) and self._consumer is None and min(alone) < 0.5

    def _allowed(self, measured):
        """The profiles that may be proposed, and the most workers; all of them where none stays within the bounds."""
        most = self.workers_most()
        free = _memory_free()
        fitting = [profile for profile in measured if profile.num_workers <= most
                   and not (free and profile.worker_memory_bytes and profile.worker_memory_bytes > MEMORY_SHARE * free)]
        return fitting or [min(measured, key=lambda profile: profile.num_workers)], most

    def _confidence(self, chosen, best):
        """From the intervals, as detectors do: by their half width, and whether all stayed in the race they could win."""
        widths = [(profile.samples_per_s_ci[1] - profile.samples_per_s_ci[0]) / 2 / profile.samples_per_s
                  if profile.samples_per_s_ci else math.inf for profile in (chosen, best)]
        untried = any(profile.error and profile.samples_per_s is None for profile in self.profiles)
        if max(widths) <= 0.05 and min(chosen.rounds, best.rounds) >= 2:
            return "medium" if untried else "high"
        return "medium" if max(widths) <= 0.15 and not untried else "low"

    def _why(self, chosen, best, measured, most):
        words = [f"{_rate(chosen)} with {chosen.configuration}"]
        if chosen is not best:
            words.append(f"{best.configuration} had {_rate(best)}, which noise cannot tell from it, and takes more")
        fastest = max(measured, key=lambda profile: profile.samples_per_s)
        if fastest.samples_per_s > best.samples_per_s:
            words.append(f"{fastest.configuration} had {_rate(fastest)}, but its workers are more than {most}, what "
                         f"{self.usable_cores():g} usable cores and the memory allow"
                         + ("" if self._waits() else " for work that computes"))
        failed = sum(profile.samples_per_s is None for profile in self.profiles)
        if failed:
            words.append(f"{failed} of {len(self.profiles)} configurations could not be measured")
        return "; ".join(words)

    @property
    def findings(self):
        """Of the newest recorded run, as in report.json, largest first."""
        return list(self._findings)

    def get_bottlenecks(self):
        """The findings that are worth showing first: those with a severity of 5 % or more, and risks."""
        return [finding for finding in self._findings
                if finding["id"] < "SM7" and (finding["severity"] is None or finding["severity"] >= 0.05)]

    # ------------------------------------------------------------------------------------------ the tuning loop

    def wrap(self, loader, consumer=None):
        """Stands for a loader, whose settings can then be changed between its epochs. With `auto_optimize` that is done
        before the second: the loader is profiled, and what was proved faster stays."""
        self.loader = acting.wrap(loader, consumer, seconds=self._trial_s())
        if self.config.auto_optimize:
            self.loader.before_epoch = self._optimize_second_epoch
        return self.loader

    def _optimize_second_epoch(self, loader):
        if loader.step() is not None:  # an epoch was seen, or the consumer is known
            loader.before_epoch = None
            self.profile_current_configuration(loader, consumer=loader.step())

    def _trial_s(self):
        return min(10.0, self.config.profiling_duration / 2)

    def profile_current_configuration(self, loader=None, *, consumer=None):
        """Profiles a loader as it is: its rate, and by a recorded run what it waits for. Without a loader: the one of last
        time, or that of the first configuration of the range.

        Batches are drawn in the loader's manner, but not from its sampler: a training that goes on finds its order as it
        was. With `auto_optimize` what would help is applied at once.
        """
        loader, acted = self._current(loader)
        plain = acted.loader if acted is not None else loader
        consumer = consumer if consumer is not None else self._consumer
        if consumer is not None and not callable(consumer):
            raise TypeError(f"consumer: {consumer!r} cannot be called with a batch")
        self._consumer = consumer
        if acted is not None and consumer is not None:
            acted.consumer = consumer
        self._baseline = acted.settings if acted is not None else None
        seconds = min(CURRENT_S, self.config.profiling_duration)
        end = time.perf_counter() + seconds
        tried = _Current(plain)
        with trials.same_randomness(plain.generator, getattr(plain.sampler, "generator", None)):
            self._record(tried.recordable(), consumer, seconds / 4, end)
            Race([tried], lambda one, share, until: one.attempt(None, consumer, share, until), end, trial_loaders.SEED,
                 rounds_most=ROUNDS).run()
        profile = tried.profile(self.config)
        profile.findings = list(self._findings)
        if not self._is_range:
            others = [other for other in self.profiles if other.configuration != profile.configuration]
            self.profiles = [*others, profile]
        if self.config.auto_optimize and acted is not None:
            self.apply_optimizations(self.get_optimization_suggestions())
        return profile

    def _current(self, loader):
        """(the loader, the Acting that stands for it; None where nothing can be changed)."""
        data = trials.torch_data("DataLoadingProfiler")
        if loader is None:
            loader = self.loader
        if loader is None and self._grid is not None:
            loader = self._grid.loader(self._grid.configurations[0])
        if loader is None:
            raise ValueError("loader: none was given, and no data set was profiled before")
        if not isinstance(loader, data.DataLoader):
            raise TypeError(f"loader: a {type(loader).__name__} is no torch DataLoader")
        if type(loader) is not acting.Acting and acting.why_not(loader) is None:
            loader = acting.wrap(loader, self._consumer, seconds=self._trial_s())
        self.loader = loader
        return loader, loader if type(loader) is acting.Acting else None

    def get_optimization_suggestions(self):
        """What would help, dearest first: text, change, predicted or measured speed-up, the finding it follows from, and
        whether apply_optimizations() may do it (`applicable`, else `reason`)."""
        found = []
        for finding in self._findings:
            for suggestion in finding["suggestions"]:
                if not any(suggestion["text"] == other["text"] and suggestion["change"] == other["change"] for other in found):
                    found.append({**suggestion, "finding": finding["id"], "type": finding["type"], "measured": False})
        found += [one for one in self._measured_suggestion() if not any(one["change"] == other["change"] for other in found)]
        found = [suggestion for suggestion in found if self._weigh(suggestion)]
        for suggestion in found:
            taken, refused = acting.safe(suggestion["change"])
            suggestion["applicable"] = bool(taken) and not refused
            suggestion["reason"] = "; ".join(refused.values()) if refused else "" if taken else "it is no setting of a loader"
        return found

    def _weigh(self, suggestion):
        """Puts what was measured in the place of what was predicted; False where the change was tried and was no faster."""
        first = self.profiles[0] if self._is_range else None
        if suggestion["measured"] or not suggestion["change"] or first is None:
            return True
        wanted = {**asdict(first.configuration), **suggestion["change"]}
        if not set(wanted) <= set(Configuration.__dataclass_fields__):
            return True
        if wanted["num_workers"] and not wanted["prefetch_factor"]:
            wanted["prefetch_factor"] = 2
        tried = next((profile for profile in self.profiles if asdict(profile.configuration) == wanted), None)
        if tried is None or tried.samples_per_s is None or first.samples_per_s is None:
            return True
        if not (tried.samples_per_s_ci and first.samples_per_s_ci):
            return tried.samples_per_s > first.samples_per_s
        suggestion.update(predicted_speedup=_ratio(tried, first), measured=True)
        return suggestion["predicted_speedup"][0] > 1

    def _measured_suggestion(self):
        """The optimum of the range, where it is another than the first configuration and faster beyond doubt."""
        if not self._is_range or all(profile.samples_per_s is None for profile in self.profiles):
            return []
        optimal, first = self.get_optimal_configuration(), self.profiles[0]
        if first.samples_per_s is None:
            return []
        before = first.configuration.arguments()
        if not first.num_workers:
            before["prefetch_factor"] = 2  # what torch takes for itself where there are workers
        change = {name: value for name, value in optimal.loader_arguments().items() if value != before.get(name)}
        if not change or not (optimal.samples_per_s_ci and first.samples_per_s_ci):
            return []
        speedup = _ratio(optimal, first)
        if speedup[0] <= 1:
            return []
        words = ", ".join(f"{name}={value}" for name, value in change.items())
        return [{"text": f"Set {words} on the DataLoader.", "change": change, "predicted_speedup": speedup, "finding": None,
                 "type": None, "measured": True}]

    def apply_optimizations(self, suggestions=None):
        """Applies what is safe and reversible to the current loader, map-style, from its next epoch on, each change proved by
        a paired trial and taken back when it did not help. Returns what was done, refusals included."""
        suggestions = self.get_optimization_suggestions() if suggestions is None else suggestions
        if isinstance(suggestions, Mapping) or not all(isinstance(item, Mapping) for item in suggestions):
            raise TypeError("suggestions: a list as get_optimization_suggestions() gives it")
        _, acted = self._current(None)
        change, why = {}, []
        for suggestion in suggestions:
            taken, _ = acting.safe(suggestion.get("change", {}))
            new = {key: value for key, value in taken.items() if key not in change}
            if new:
                change.update(new)
                why.append(suggestion.get("finding") or "measured")
        if not change:
            return []
        if acted is None:
            refused = {"change": change, "before": {}, "why": ", ".join(why), "state": "refused", "speedup": None,
                       "disclosed": [], "reason": acting.why_not(self.loader)}
            self._refused.append(refused)
            return [refused]
        return [acted.change(change, ", ".join(why))]

    @property
    def optimizations(self):
        """Everything that was done to the current loader, tried, kept, taken back or refused."""
        return [*self._refused, *(self.loader.optimizations if type(self.loader) is acting.Acting else [])]

    def measure_improvement(self):
        """By how many percent the current loader is faster than it was when last profiled, by a paired trial of its own; nan
        where nothing was profiled or it could not be told, 0 where no setting differs."""
        if self._baseline is None or type(self.loader) is not acting.Acting:
            return math.nan
        loader = self.loader
        if loader.settings == self._baseline:
            return 0.0
        now = loader._next or loader.loader
        found = acting.compare(acting.changed(now, self._baseline), now, consumer=loader.step(), seconds=loader.seconds)
        return math.nan if found.speedup is None else (found.speedup[0] - 1) * 100

    # -------------------------------------------------------------------------------------------------- reports

    def generate_optimization_report(self, path=None):
        """Writes the report as HTML, and as Markdown beside it. Returns the path of the HTML. `path` ends in .html; without
        one it is named after the time, in the config's `profile_output_dir`."""
        path = os.fspath(path) if path is not None else self._free_path("data-loading-report", ".html")
        root, ending = os.path.splitext(path)
        if ending.lower() != ".html":
            raise ValueError(f"path: {path!r} does not end in .html")
        page = self._page()
        for name, text in ((path, page.html()), (root + ".md", page.markdown())):
            with open(name, "w", encoding="utf-8") as file:
                file.write(text)
        return path

    def _page(self):
        from .data_loading_report import page_of

        return page_of(self)

    def _repr_html_(self):
        import html

        if not self.profiles:
            return "<p>DataLoadingProfiler: nothing was profiled yet</p>"
        page = html.escape(self._page().html(), quote=True)
        return f'<iframe srcdoc="{page}" title="data loading" style="width:100%;height:720px;border:0"></iframe>'

    def to_dict(self):
        """Everything that was found, as JSON has it."""
        try:
            optimal = {key: value for key, value in asdict(self.get_optimal_configuration()).items() if key != "profile"}
        except (ValueError, RuntimeError):
            optimal = None
        return {"schema": SCHEMA, "config": asdict(self.config), "profiles": [asdict(profile) for profile in self.profiles],
                "is_range": self._is_range, "optimal": optimal, "findings": self._findings, "host": self._host,
                "mostly_waits": self._mostly_waits,
                "optimizations": self.optimizations, "not_measured": self.not_measured}

    def save_profiling_results(self, path):
        """Writes what was found to a .json or .pt file. Returns the path."""
        from .loading_results import save

        return save(self.to_dict(), path)

    def load_profiling_results(self, path):
        """Takes the results of an earlier save_profiling_results(). Nothing in the file is executed or unpickled."""
        from ._read import TraceError
        from .loading_results import load

        found = load(path, SCHEMA)
        try:
            profiles = [_profile_from(fields) for fields in found["profiles"]]
            findings, host, is_range = found["findings"], found["host"], found["is_range"]
            mostly_waits, done, missing = found["mostly_waits"], found["optimizations"], found["not_measured"]
        except (KeyError, TypeError) as problem:
            raise TraceError(f"{os.fsdecode(path)}: damaged: {type(problem).__name__}: {problem}") from None
        self.profiles, self._findings, self._host, self._is_range = profiles, findings, host, is_range
        self._mostly_waits, self._refused, self.not_measured = mostly_waits, done, missing
        self.report = self.loader = self._grid = self._baseline = None


def _profile_from(fields):
    interval = fields["samples_per_s_ci"]
    return DataLoadingProfile(**{**fields, "samples_per_s_ci": tuple(interval) if interval else None})


def _costs(profiles):
    """What each takes, to be compared: workers first, then memory in steps of 5 % of the least, then settings beyond torch's
    own. A larger batch that takes no more memory costs nothing."""
    known = [profile.memory_bytes for profile in profiles if profile.memory_bytes]
    step = MEMORY_STEP_SHARE * min(known) if len(known) == len(profiles) else None
    return [(profile.num_workers, round(profile.memory_bytes / step) if step else profile.batch_size or 0,
             profile.prefetch_factor or 0, profile.pin_memory, profile.persistent_workers) for profile in profiles]


def _ratio(faster, slower):
    """Of two rates with their intervals: low, value, high, at their worst and best together."""
    return [faster.samples_per_s_ci[0] / slower.samples_per_s_ci[1], faster.samples_per_s / slower.samples_per_s,
            faster.samples_per_s_ci[1] / slower.samples_per_s_ci[0]]


def _rate(profile):
    if profile.samples_per_s_ci is None:
        return f"{profile.samples_per_s:.4g} samples/s"
    low, high = profile.samples_per_s_ci
    return f"{profile.samples_per_s:.4g} samples/s ({low:.4g} to {high:.4g})"


def _mostly_waits(report):
    """Whether what makes a batch waits for more time than it computes: then workers may be more than cores. Time in which it
    could have run and did not is neither."""
    cpu = blocked = 0.0
    for loader in report["loaders"]:
        for stage in loader["stages"]:
            if stage["stage"] in ("fetch", "transform", "collate") and stage["blocked_s"] is not None:
                cpu += stage["cpu_s"]
                blocked += stage["blocked_s"]
    return blocked > cpu if cpu + blocked > 0 else None


def _memory_free():
    """Bytes that can be had without swapping, or None."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            return next((int(line.split()[1]) * 1024 for line in file if line.startswith("MemAvailable:")), None)
    except OSError:
        return None


def _pass_over(loader, consumer, seconds, end):
    """Epoch after epoch for about `seconds`, longer where batches are few, never beyond `end`; an error in one line, or None."""
    began, iterator, batches = time.perf_counter(), None, 0
    try:
        with trials.quiet(), trials.calm(), trials.until(end):
            while True:
                before = batches
                iterator = iter(loader)
                for batch in iterator:
                    batches += 1
                    if consumer:
                        consumer(batch)
                    if batches > STEPS_LEAST and time.perf_counter() - began > seconds:
                        return None
                if batches == before:
                    return "dataset: it gave no batch"
    except trials.OutOfTime:
        return None
    except Exception as error:
        return trials.said(error)
    finally:
        if iterator is not None:
            with trials.quiet(), trials.calm():
                trials.close(iterator, end + CLOSING_S)


# ------------------------------------------------------------------------------------------------------- entrants

class _Measured(Entrant):
    """Adds up the trials of one configuration."""

    def __init__(self, setting):
        super().__init__(setting)
        self.batches = 0
        self.firsts, self.cpu, self.read = [], [], []
        self.memory = {}
        self.last_batch = None

    def take(self, trial):
        self.error = trial.error
        if trial.first_s is not None:
            self.firsts.append(trial.first_s)
            self.start_s = max(self.firsts) + trial.warm_s
        if not trial.seconds:
            return
        self.rounds += 1
        self.seconds += trial.seconds
        self.batches += trial.batches
        self.last_batch = trial.last_batch
        for values, value in ((self.cpu, trial.cpu_s), (self.read, trial.read_bytes)):
            if value is not None and trial.wall_s > 0:
                values.append(value / trial.wall_s)
        for name in ("worker_pss", "worker_rss", "main_pss", "main_rss"):
            value = getattr(trial, name)
            if value is not None:
                self.memory[name] = max(self.memory.get(name, 0), value)

    def profile(self, config):
        made = DataLoadingProfile(**{name: getattr(self.setting, name) for name in Configuration.__dataclass_fields__})
        rate, low, high = self.rate()
        made.samples_per_s = None if math.isnan(rate) else rate
        made.samples_per_s_ci = None if math.isnan(low) or math.isnan(high) else (low, high)
        made.batches, made.rounds, made.dropped_after = self.batches, self.rounds, self.dropped_after
        made.first_batch_s = sorted(self.firsts)[len(self.firsts) // 2] if self.firsts else None
        made.error = self.error
        if made.error is None and made.samples_per_s is None:
            made.error = ("not tried: the time was over before" if not self.tries else
                          "too slow for the time that it was given: no two bursts of batches came")
        self._fill(made, config.enable_memory_tracking, "enable_memory_tracking",
                   worker_memory_bytes=self.memory.get("worker_pss"), worker_rss_bytes=self.memory.get("worker_rss"),
                   main_memory_bytes=self.memory.get("main_pss"), main_rss_bytes=self.memory.get("main_rss"))
        self._fill(made, config.enable_cpu_tracking, "enable_cpu_tracking", cpu_cores=_mean(self.cpu))
        self._fill(made, config.enable_io_tracking, "enable_io_tracking", read_bytes_per_s=_mean(self.read))
        return made

    def _fill(self, profile, enabled, flag, **values):
        for name, value in values.items():
            if enabled and value is not None:
                setattr(profile, name, value)
            else:
                profile.not_measured[name] = (f"{flag} is off" if not enabled else "no trial came to its end"
                                              if not self.seconds else "/proc does not tell it here")


def _mean(values):
    return sum(values) / len(values) if values else None


class _Tried(_Measured):
    """A configuration of a grid."""

    def __init__(self, setting, grid):
        super().__init__(setting)
        self.grid = grid
        self.error = grid.too_large(setting)

    def attempt(self, lists, consumer, seconds, end):
        loader = None
        try:
            with trials.quiet():
                loader = self.grid.trial_loader(self.setting, lists)
        except Exception as error:
            self.error = trials.said(error)
            return
        size = self.setting.batch_size if self.grid.map_style else None
        trial = trials.run(loader, seconds=seconds, end=end, consumer=consumer, samples=size)
        self.take(trial)
        method = self.setting.multiprocessing_context or multiprocessing.get_start_method()
        if self.error and self.setting.num_workers and method != "fork":
            self.error = self.grid.unpicklable() or self.error


class _Current(_Measured):
    """A loader as it is."""

    def __init__(self, loader):
        context = loader.multiprocessing_context if loader.num_workers else None
        super().__init__(Configuration(loader.batch_size, loader.num_workers,
                                       loader.prefetch_factor if loader.num_workers else None, bool(loader.pin_memory),
                                       bool(loader.persistent_workers), getattr(loader, "in_order", None),
                                       getattr(context, "_name", None)))
        self.loader = loader
        self.map_style = not isinstance(loader.dataset, trials.torch_data("a trial").IterableDataset)
        self.lists = trial_loaders.lists_of(loader, trial_loaders.SEED) if self.map_style else None

    def recordable(self):
        """A copy whose epochs are as the loader's, without a draw from a sampler that remembers."""
        return trial_loaders.with_own_sampler(self.loader) if self.map_style else trial_loaders.other(self.loader, {})

    def attempt(self, _, consumer, seconds, end):
        made = (trial_loaders.for_trial(self.loader, {}, self.lists) if self.map_style
                else trial_loaders.other(self.loader, {}))
        self.take(trials.run(made, seconds=seconds, end=end, consumer=consumer,
                             samples=self.loader.batch_size if self.map_style else None))
