"""BottleneckProfiler: sessions, and in them the operations to which a program gives names.

    profiler = BottleneckProfiler()
    profiler.start_profiling_session("training")
    with profiler.profile_operation("forward", BottleneckType.GPU_COMPUTATION):
        ...
    session = profiler.stop_profiling_session()
    profiler.generate_optimization_report()

An operation is a span (`stallmeter.span`), so it costs what a span costs, counts in every session that is open, and nests,
also over threads, generators and coroutines. Where sessions begin and end stands in the trace too, and all figures are cut
out of the trace by C when they are asked for, also while the session is open (src/model/build_sessions.c). A table of sums
kept in this process would have answered in microseconds, but it would have died with the process, known nothing of
workers, and been a second opinion beside the report's. A trace of 100 million events is read in about two seconds, and
what a level may write bounds the trace, so the answer stays a matter of seconds in a job of weeks.

No thread is started here, unless a callback of alerts asks for one.
"""

import atexit
import collections
import enum
import logging
import os
import secrets
import threading
import time
import weakref

from . import _inner, profiling_session, recording, results
from .configs import BottleneckProfilerConfig
from .kinds import BottleneckType, ProfilingLevel
from .profiling_session import ProfilingSession

__all__ = ["BottleneckProfiler", "BottleneckProfilerConfig", "BottleneckType", "ProfilingLevel", "ProfilingSession"]

PRODUCTION_BYTES = 1 << 30  # all runs of one profiler together: the oldest go when a new one needs the room
SESSIONS_KEPT = 256  # finished ones that are remembered; what was saved of older ones stays on the disk
GROUPS = {"memory": "enable_memory_tracking", "gpu": "enable_gpu_tracking", "cpu": "enable_cpu_tracking",
          "io": "enable_io_tracking"}

log = logging.getLogger("stallmeter")
_span = _inner.record.span
_monotonic = time.monotonic
_TYPES = {member: member for member in BottleneckType}
_profilers = weakref.WeakSet()
_with_sessions = set()  # profilers that have a session open: they live until it is closed


class NotYet(KeyError):
    """A detector asks for a metric that nobody has recorded so far."""


class Metrics(dict):
    """What a detector is given; it notes what is read."""

    def __init__(self, values):
        super().__init__(values)
        self.read = {}

    def __missing__(self, name):
        raise NotYet(name)

    def __getitem__(self, name):
        value = self.read[name] = super().__getitem__(name)
        return value

    def get(self, name, default=None):
        return self[name] if name in self else default


class BottleneckProfiler:
    """Profiles named operations in sessions, and says which of them, and what in their loaders, holds the program back."""

    def __init__(self, config=None):
        if config is None:
            config = BottleneckProfilerConfig()
        if not isinstance(config, BottleneckProfilerConfig):
            raise TypeError(f"config: {config!r} is no BottleneckProfilerConfig")
        self.config = config
        self.optimizations = []  # everything that was tried on a loader, newest last
        self._open = {}  # id -> ProfilingSession, the oldest first
        self._finished = {}
        self._runs = collections.deque()  # ours that are over, the oldest first
        self._loaders = []  # wrapped, so that settings can be changed
        self._detectors = []
        self._callbacks = []  # (function, in_thread)
        self._waiting = collections.deque()  # alerts for callbacks of the main thread
        self._waiting_in_thread = collections.deque()
        self._due = float("inf")  # when to look for alerts next
        self._watcher = None
        self._baseline = None
        self._tried = []  # since the newest profile_current_configuration()
        self._detecting = False
        _profilers.add(self)

    def __reduce__(self):
        return BottleneckProfiler, (self.config,)  # in a spawned worker: its operations count, sessions are the parent's

    # ---------------------------------------------------------------------------------------------------- sessions

    def start_profiling_session(self, name):
        """Begins a session, and returns its id. Several may be open, also of one name. OSError where nothing can be recorded."""
        if not isinstance(name, str):
            raise TypeError(f"name: {name!r} is no str")
        if not name.strip():
            raise ValueError("name: it is empty")
        with recording.lock:
            run = recording.begin(name, folder=self._folder(), level=str(self.config.profiling_level),
                                  limit_bytes=self._limit_bytes(), **self._monitoring())
            session = ProfilingSession(name, f"{name}-{secrets.token_hex(4)}", run, self.config)
            run.tell(session.id, name, session.begin_ns)
            run.join(session.id)
            if self._hear not in run.listeners:
                run.listeners.append(self._hear)
            self._open[session.id] = session
            _with_sessions.add(self)
        if not run.own:
            log.info("session %r is in the run that records this process already, at that run's level", name)
        self._due = _monotonic()
        self._watch()
        return session.id

    def stop_profiling_session(self, session_id=None):
        """Closes the newest session, or that one, and returns it as a ProfilingSession.

        RuntimeError where none is open, ValueError for an id that is none of an open session.
        """
        with recording.lock:
            session = self._open.pop(self._opened(session_id))
            session.end_ns = recording.now_ns()
            session.running = False
            run = session.recording
            run.tell(session.id, session.name, session.begin_ns, session.end_ns)
            run.pump()  # what came up to now is of this session
            if not self._open:
                self._due = float("inf")
                _with_sessions.discard(self)
            run.leave(session.id)
            self._finished[session.id] = session
            while len(self._finished) > SESSIONS_KEPT:
                del self._finished[next(iter(self._finished))]
        self._call_back()
        if run.over:
            self._keep(run)
        return session

    def _opened(self, session_id):
        if not self._open:
            raise RuntimeError("no profiling session is open: start_profiling_session() begins one")
        if session_id is None:
            return next(reversed(self._open))
        if session_id not in self._open:
            raise ValueError(f"session_id: {session_id!r} is none of an open session; open: {', '.join(self._open)}")
        return session_id

    def _folder(self):
        return os.fspath(self.config.profile_output_dir) if self.config.save_profiles else None

    def _limit_bytes(self):
        return PRODUCTION_BYTES if self.config.profiling_level is ProfilingLevel.PRODUCTION else None

    def _monitoring(self):
        config = self.config
        wanted = config.enable_real_time_monitoring
        without = [group for group, flag in GROUPS.items() if not (wanted and getattr(config, flag))]
        return {"interval": config.sampling_interval, "memory_threshold": config.memory_threshold,
                "gpu_threshold": config.gpu_threshold, "without": without}

    def _keep(self, run):
        """Leaves in a finished run what only this process knows."""
        if not run.own or run.temporary:
            return
        sessions = [session for session in self._finished.values() if session.recording is run]
        try:
            results.save(os.path.join(run.directory, "profile.json"), sessions)
            sessions[-1].report.save(os.path.join(run.directory, "report.json"))
        except (OSError, ValueError) as problem:
            log.warning("%s: the profile was not saved: %s", run.directory, problem)
        self._runs.append(run)
        if self.config.profiling_level is ProfilingLevel.PRODUCTION:
            self._make_room()

    def _make_room(self):
        sizes = {run: run.bytes() for run in self._runs}
        while len(self._runs) > 1 and sum(sizes[run] for run in self._runs) > PRODUCTION_BYTES:
            oldest = self._runs.popleft()
            log.info("%s is removed: the runs of this profiler take more than %d MiB", oldest.directory, PRODUCTION_BYTES >> 20)
            oldest.remove()

    # -------------------------------------------------------------------------------------------------- operations

    def profile_operation(self, name, type=BottleneckType.UNKNOWN):
        """A context manager, or a decorator, around an operation. It belongs to all sessions that are open."""
        if _monotonic() >= self._due:
            self._look()
        try:
            return _span(name, _TYPES[type])
        except (KeyError, TypeError):
            raise _wrong(name, type) from None

    def record_metric(self, name, value):
        """A number of your own: a counter in the trace, and what detectors read under that name."""
        if not isinstance(name, str):
            raise TypeError(f"name: {name!r} is no str")
        if isinstance(value, bool) or not hasattr(value, "__float__"):
            raise TypeError(f"value: {value!r} is no number")
        _inner.record.counter(name, float(value))
        sessions = list(self._open.values())
        for session in sessions:
            session.recorded[name] = float(value)
        if self._detectors and sessions:
            self._detect(sessions)

    # --------------------------------------------------------------------------------------------------- summaries

    def get_bottleneck_summary(self):
        """The summary of the newest session: as it stands, while it is open."""
        session = self._newest()
        return self._summary(session) if session else profiling_session.none_yet(str(self.config.profiling_level))

    def get_session_summary(self, session_id):
        """The summary of that session, open or not."""
        return self._summary(self._session(session_id))

    def get_session(self, session_id):
        """The ProfilingSession of that id, open or not."""
        return self._session(session_id)

    @property
    def sessions(self):
        """All that are remembered, the oldest first."""
        return [*self._finished.values(), *self._open.values()]

    @property
    def alerts(self):
        """Those of the newest session: dicts of `time_s` since its run began, `kind`, `value`, `threshold`, `state`."""
        self._look()
        session = self._newest()
        return list(session.alerts) if session else []

    def compare_sessions(self, before, after):
        """Two sessions side by side, by their ids: how much faster the second did the same work, operation by operation."""
        return profiling_session.compare(self.get_session_summary(before), self.get_session_summary(after))

    def _newest(self):
        for sessions in (self._open, self._finished):
            if sessions:
                return sessions[next(reversed(sessions))]
        return None

    def _session(self, session_id):
        found = self._open.get(session_id) or self._finished.get(session_id)
        if found is None:
            raise ValueError(f"session_id: {session_id!r} is none of this profiler's sessions")
        return found

    def _summary(self, session):
        if session.running:
            self._look()
        had = session._final
        summary = session.summary()
        if had is None and session.running and self._detectors and session.metrics:
            self._detect([session])
            measured = [row for row in summary["bottlenecks"] if row["kind"] != "custom"]
            summary["bottlenecks"] = [*measured, *session.custom.values()]
        return summary

    # -------------------------------------------------------------------------------------------- alerts, detectors

    def add_alert_callback(self, function, in_thread=False):
        """`function(alert)` for each alert: at the next operation of the main thread, or on a thread of ours."""
        if not callable(function):
            raise TypeError(f"function: {function!r} cannot be called")
        self._callbacks.append((function, bool(in_thread)))
        self._watch()

    def add_custom_bottleneck_detector(self, function):
        """`function(metrics)` returns None, or a member of an enumeration of yours: then that is a bottleneck of the session.

        `metrics` has what record_metric() recorded and, from the first summary on, the metrics of the report that this machine
        has. A detector that reads what is not there yet is asked again; one that raises is named in the log and switched off.
        """
        if not callable(function):
            raise TypeError(f"function: {function!r} cannot be called")
        self._detectors.append(function)

    def _hear(self, alert):
        for session in self._open.values():
            session.alerts.append(alert)
        begins = alert["state"] == "begin"
        log.log(logging.WARNING if begins else logging.INFO, "alert: %s %s its threshold of %.3g %%: %.3g %%",
                alert["kind"].replace("_", " "), "is above" if begins else "is back below", alert["threshold"] * 100,
                alert["value"] * 100)
        self._waiting.append(alert)
        self._waiting_in_thread.append(alert)

    def _look(self):
        """Takes the alerts that came."""
        if not self._open:
            return
        self._due = _monotonic() + self.config.sampling_interval
        with recording.lock:
            for run in {session.recording for session in self._open.values()}:
                run.pump()
        self._call_back()

    def _call_back(self):
        if threading.current_thread() is threading.main_thread():
            self._hand_out(self._waiting, in_thread=False)

    def _hand_out(self, alerts, in_thread):
        while alerts:
            alert = alerts.popleft()
            for pair in [pair for pair in self._callbacks if pair[1] is in_thread]:
                self._try(pair[0], alert, self._callbacks, pair, "callback of alerts")

    def _try(self, function, argument, registry, entry, what):
        """A function of the user's: what it raises is its own trouble, and it is asked no more."""
        try:
            return function(argument)
        except NotYet:
            return None
        except Exception:
            log.exception("the %s %s raised, and is switched off", what, _name_of(function))
            if entry in registry:
                registry.remove(entry)
            return None

    def _detect(self, sessions):
        if self._detecting:  # a detector that records a metric
            return
        self._detecting = True
        try:
            for session in sessions:
                for detector in list(self._detectors):
                    metrics = Metrics({**session.metrics, **session.recorded})
                    found = self._try(detector, metrics, self._detectors, detector, "detector")
                    if found is not None:
                        self._found(session, detector, found, metrics.read)
        finally:
            self._detecting = False

    def _found(self, session, detector, found, read):
        type = found.name if isinstance(found, enum.Enum) else str(found)
        who = _name_of(detector)
        row = session.custom.get((who, type))
        if row is None:
            row = session.custom[who, type] = {"kind": "custom", "type": type, "name": who, "severity": None, "count": 0,
                                               "suggestions": []}
            said = f"{type}, says {who}: " + ", ".join(f"{name} {value:.6g}" for name, value in read.items())
            log.warning("session %r: %s", session.name, said)
            session.recording.note(session.id, said)
        row["count"] += 1
        row["metrics"] = dict(read)

    def _watch(self):
        """Starts the thread that callbacks asked for, while there is a session."""
        wanted = any(in_thread for _, in_thread in self._callbacks)
        if wanted and self._open and (self._watcher is None or not self._watcher.is_alive()):
            self._watcher = threading.Thread(target=self._stand_by, name="stallmeter alerts", daemon=True)
            self._watcher.start()

    def _stand_by(self):
        while self._open:
            with recording.lock:
                for run in {session.recording for session in list(self._open.values())}:
                    run.pump()
            self._hand_out(self._waiting_in_thread, in_thread=True)
            time.sleep(self.config.sampling_interval)
        self._hand_out(self._waiting_in_thread, in_thread=True)

    # -------------------------------------------------------------------------------------------------- files, page

    def save_profiling_results(self, path):
        """Writes the finished sessions to `.json` or `.pt`, or the trace of the newest one to `.stall`. Returns the path."""
        results.ending_of(path)
        if not self._finished:
            raise RuntimeError("no session is finished: there is nothing to save")
        return results.save(path, list(self._finished.values()))

    def load_profiling_results(self, path):
        """Reads such a file; its sessions join this profiler's, and are returned. Nothing in it is executed or unpickled.

        FileNotFoundError, TraceError for what is damaged or none of ours, ValueError for another ending.
        """
        sessions = results.load_sessions(path, self.config.bottleneck_threshold)
        self._finished.update((session.id, session) for session in sessions)
        return sessions

    def generate_optimization_report(self, path=None):
        """Writes the page of the newest session's run, `.html`, and the same as Markdown beside it; returns the page's path.

        Without a path it goes into the run, or, where that is not kept, into `profile_output_dir`.
        """
        session = self._newest()
        if path is None:
            page = self._page_path(session)
        else:
            page = os.fspath(path)
            if os.path.splitext(page)[1].lower() != ".html":
                raise ValueError(f"path: {page!r} does not end in .html")
        report = session.report if session else None
        if report is None or report._run is None:
            from . import figures_page

            html, markdown = figures_page.render(self._summary(session) if session else self.get_bottleneck_summary())
        else:
            html, markdown = report.to_html(), report.to_markdown()
        for name, text in ((page, html), (os.path.splitext(page)[0] + ".md", markdown)):
            with open(name, "w", encoding="utf-8") as file:
                file.write(text)
        return page

    def _page_path(self, session):
        if session and session.recording is not None and session.recording.own and not session.recording.temporary:
            return os.path.join(session.directory, "report.html")
        folder = os.path.abspath(os.fspath(self.config.profile_output_dir))
        os.makedirs(folder, exist_ok=True)
        name = session.name.replace(os.sep, "_") if session else "report"
        return os.path.join(folder, f"{name}.html")

    # ------------------------------------------------------------------------------------------------------- acting

    def wrap(self, loader, name=None):
        """A loader whose settings this profiler may change between epochs; use the result in its place.

        What cannot be changed (an iterable data set, a loader that is not torch's) is watched all the same.
        """
        from . import wrap

        if not _is_torch_loader(loader):
            return wrap(loader, name)
        from . import acting

        reason = acting.why_not(loader)
        if reason:
            log.info("loader %s: nothing will be changed of it: %s", name or "", reason)
            return wrap(loader, name)
        wrapped = acting.wrap(loader)
        if wrapped not in self._loaders:
            self._loaders.append(wrapped)
        if self.config.auto_optimize:
            wrapped.before_epoch = self._optimize
        if name is not None:
            wrap(wrapped.loader, name)
        return wrapped

    def profile_current_configuration(self):
        """What is measured now: the newest session's summary, with the settings of the loaders that wrap() was given. From
        here measure_improvement() counts."""
        session = self._newest()
        summary = self.get_bottleneck_summary()
        summary["settings"] = [dict(loader.settings) for loader in self._loaders]
        self._baseline = summary if session else None
        self._tried = []
        return summary

    def get_optimization_suggestions(self):
        """What to do about the newest session's bottlenecks, the most promising first: dicts of `text`, `change` (settings of a
        loader, or empty), `predicted_speedup`, `bottleneck`, `severity`, `loader`."""
        found = []
        for row in self.get_bottleneck_summary()["bottlenecks"]:
            loader = row["where"]["loader"] if row["kind"] == "finding" else None
            found += [{**suggestion, "bottleneck": row["type"], "severity": row["severity"], "loader": loader}
                      for suggestion in row["suggestions"]]
        return sorted(found, key=_promise, reverse=True)

    def apply_optimizations(self, optimizations):
        """Tries each change of a loader that wrap() was given, in a paired trial, and keeps what proved faster.

        Returns what was done: one dict for each, `state` kept, taken_back or refused, and the `reason`. Kept changes are in
        force from the loader's next epoch on.
        """
        if isinstance(optimizations, (str, bytes, dict)) or not hasattr(optimizations, "__iter__"):
            raise TypeError("optimizations: give a list, as get_optimization_suggestions() returns it")
        return [self._apply(suggestion) for suggestion in optimizations]

    def measure_improvement(self):
        """Percent by which what was applied since profile_current_configuration() made the loaders faster, as the paired trials
        measured it; where nothing was tried, how much faster the newest session did the work of the one profiled then: 0 where
        it is the same one. nan without a session to start from, or without work that both did."""
        ratios = [done["speedup"][1] if done["state"] == "kept" else 1.0 for done in self._tried if done["speedup"]]
        if ratios:
            product = 1.0
            for ratio in ratios:
                product *= ratio
            return (product - 1) * 100
        newest = self._newest()
        if self._baseline is None or newest is None:
            return float("nan")
        if self._baseline["session"] == newest.id:
            return 0.0
        ratio = profiling_session.compare(self._baseline, self._summary(newest))["speedup"]
        return float("nan") if ratio is None else (ratio - 1) * 100

    def _apply(self, suggestion):
        if not hasattr(suggestion, "get"):
            raise TypeError(f"optimizations: {suggestion!r} is no suggestion")
        change = dict(suggestion.get("change") or {})
        loader = self._loader_of(suggestion.get("loader"))
        done = {"change": change, "why": suggestion.get("text", ""), "state": "refused", "speedup": None}
        if not change:
            done["reason"] = "it is a change of code, which is yours to make"
        elif loader is None:
            done["reason"] = "its loader was not given to wrap()"
        else:
            done = loader.change(change, suggestion.get("text", ""))
        self._tell(done)
        return done

    def _loader_of(self, name):
        named = [loader for loader in self._loaders if _recorded_name(loader) == name]
        return named[0] if named else self._loaders[0] if len(self._loaders) == 1 and name is not None else None

    def _tell(self, done):
        self._tried.append(done)
        self.optimizations.append(done)
        for session in self._open.values():
            session.optimizations.append(done)
            if done["change"]:
                settings = ", ".join(f"{key}={value}" for key, value in done["change"].items())
                session.recording.note(session.id, f"{settings}: {done['state'].replace('_', ' ')}: {done['reason']}")

    def _optimize(self, loader):
        """Between two epochs, with auto_optimize: the most promising change that is left to try."""
        if not self._open:
            return
        name = _recorded_name(loader)
        tried = [done["change"] for done in loader.optimizations]
        for suggestion in self.get_optimization_suggestions():
            if suggestion["change"] and suggestion["change"] not in tried and suggestion["loader"] == name:
                self._tell(loader.change(suggestion["change"], suggestion["text"]))
                return

    # --------------------------------------------------------------------------------------------------------- ends

    def _forget(self):
        """In a forked child: the sessions are the parent's."""
        self._open = {}
        self._due = float("inf")
        self._watcher = None
        self._runs.clear()
        self._waiting.clear()
        self._waiting_in_thread.clear()


def _promise(suggestion):
    predicted = suggestion["predicted_speedup"]
    return predicted[1] if predicted else 0.0, suggestion["severity"] or 0.0


def _wrong(name, type):
    if not isinstance(name, str):
        return TypeError(f"name: {name!r} is no str")
    if not isinstance(type, str):
        return TypeError(f"type: {type!r} is no BottleneckType")
    return ValueError(f"type: {type!r} is none of {', '.join(map(str, BottleneckType))}")


def _name_of(function):
    return getattr(function, "__name__", None) or type(function).__name__


def _is_torch_loader(loader):
    import sys

    data = sys.modules.get("torch.utils.data")
    return data is not None and isinstance(loader, data.DataLoader)


def _recorded_name(loader):
    from _stallmeter import loaders

    entry = loaders.known.get(id(loader.loader))
    return entry.name if entry else None


def _close_all():
    """Sessions that nobody stopped: what is in them is kept as if somebody had."""
    for profiler in list(_with_sessions):
        while profiler._open:
            try:
                session = profiler.stop_profiling_session()
                log.info("session %r was open at the end of the program and is closed", session.name)
            except Exception:
                log.exception("a session could not be closed")
                break
    recording.remove_all_temporary()


def _after_fork():
    _with_sessions.clear()
    for profiler in list(_profilers):
        profiler._forget()


atexit.register(_close_all)
os.register_at_fork(after_in_child=_after_fork)
