"""A session of BottleneckProfiler, while it is open and afterwards: what of a run lies between its two edges.

Nothing is measured here. Times of operations and their shares come out of the trace, cut along the session by C
(`sessions` of report.json); this puts beside them what only this process knows: alerts, recorded values, what the detectors
of the user said. While a session is open, each summary reads the trace up to now.
"""

import datetime

from . import recording as recordings
from .report import Fields

_newest = [None, None]  # a recording that is over and its Report: many sessions may be remembered, one Report is held

FINDING = ("id", "type", "title", "cause", "severity", "severity_ci", "confidence", "where", "evidence", "suggestions", "risk")
OPERATION = ("severity", "self_s", "inclusive_s", "count", "ceiling_speedup")


class ProfilingSession:
    """One session: `name`, `id`, `running`; and, read from the trace when first asked for, its figures."""

    def __init__(self, name, session_id, recording, config):
        self.name = name
        self.id = session_id
        self.running = True
        self.level = str(config.profiling_level)
        self.threshold = config.bottleneck_threshold
        self.started_at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        self.begin_ns = recordings.now_ns()
        self.end_ns = None
        self.recording = recording
        self.alerts = []
        self.optimizations = []
        self.recorded = {}  # the newest value of each name of record_metric()
        self.custom = {}  # what the user's detectors said: (detector, type) -> bottleneck
        self.metrics = {}  # of the newest summary
        self._final = None  # the summary, once its run is over
        self._report = None  # of a loaded one

    @property
    def directory(self):
        """Where its run is kept; None: nowhere."""
        return self.recording.directory if self.recording is not None else None

    @property
    def report(self):
        """The Report of the run it lies in; while that goes on, of the run so far."""
        if self._report is not None:
            return self._report
        if self.recording is None:
            raise ValueError(f"session {self.name!r} was loaded without a report")
        if not self.recording.over:
            return self.recording.report()
        if _newest[0] is not self.recording:
            _newest[:] = self.recording, self.recording.report()
        return _newest[1]

    @property
    def wall_s(self):
        """Seconds from its begin to its end, or to now."""
        if self._final is not None:
            return self._final["wall_s"]

        return ((self.end_ns or recordings.now_ns()) - self.begin_ns) / 1e9

    @property
    def operations(self):
        """As `sessions[].operations` of report.json, the dearest first."""
        return [Fields(row) for row in self.summary()["operations"]]

    @property
    def bottlenecks(self):
        """What costs at least `bottleneck_threshold` of its time, the dearest first."""
        return [Fields(row) for row in self.summary()["bottlenecks"]]

    @property
    def findings(self):
        """Those of its run that concern its loaders, or no loader."""
        return [Fields(row) for row in self.summary()["findings"]]

    def summary(self):
        """A dict of all of it; docs/bottleneck-profiler.md lists the keys."""
        if self._final is not None:
            return dict(self._final)
        fields, why = self._fields()
        found = summarize(self, fields, why)
        self.metrics = {name: row["last"] for name, row in found["metrics"].items() if row["last"] is not None}
        if self.recording.over:
            self._final = found
        return dict(found)

    def _fields(self):
        from ._read import TraceError

        try:
            return self.report._fields, None
        except (OSError, RuntimeError, TraceError) as problem:
            return {}, str(problem)

    def _repr_html_(self):
        return self.report._repr_html_()

    def __repr__(self):
        return f"<ProfilingSession {self.name!r}: {'running' if self.running else f'{self.wall_s:.3g} s'}>"


def loaded(summary, report):
    """A session out of a file."""
    session = ProfilingSession.__new__(ProfilingSession)
    vars(session).update(name=summary["name"], id=summary["session"], running=False, level=summary["level"], threshold=None,
                         started_at=summary["started_at"], begin_ns=None, end_ns=None, recording=None, alerts=summary["alerts"],
                         optimizations=summary["optimizations"], recorded=summary["recorded"], custom={}, metrics={},
                         _final=summary, _report=report)
    return session


def cost(row):
    return -1 if row["severity"] is None else row["severity"]


def concerns(finding, loaders):
    return finding["where"]["loader"] is None or finding["where"]["loader"] in loaders


def of_operation(row):
    return {"kind": "operation", "type": row["type"] or "UNKNOWN", "name": row["name"], **{key: row[key] for key in OPERATION},
            "suggestions": [{"text": row["advice"], "change": {}, "predicted_speedup": None}] if row["advice"] else []}


def of_finding(row):
    return {"kind": "finding", "name": row["where"]["name"] or row["title"], **{key: row[key] for key in FINDING if key in row}}


def summarize(session, fields, why=None):
    """`fields`: of the report of its run; `why` it has none."""
    entry = next((row for row in fields.get("sessions", ()) if row["id"] == session.id), None)
    operations = sorted(entry["operations"], key=cost, reverse=True) if entry else []
    loaders = entry["loaders"] if entry else []
    findings = [row for row in fields.get("findings", ()) if concerns(row, loaders)]
    own = [row for row in operations if row["type"] != recordings.OURS]
    costs = [*map(of_operation, own), *map(of_finding, findings)]
    dear = sorted((row for row in costs if cost(row) >= session.threshold and cost(row) > 0), key=cost, reverse=True)
    missing = list(fields.get("not_measured", ()))
    if entry is None:
        missing.append({"what": "operations", "why": why or "the trace has nothing of this session: see events_lost"})
    elif entry["lost_s"]:
        missing.append({"what": "operations", "why": f"events were lost in {entry['lost_s']:.3g} s of the session, as its run "
                        "reached its limit or the disk was full; shares are of the rest"})
    return {
        "session": session.id, "name": session.name, "running": session.running, "started_at": session.started_at,
        "level": session.level, "directory": session.directory,
        "wall_s": entry["wall_s"] if entry else session.wall_s,
        "operations": operations, "bottlenecks": [*dear, *session.custom.values()], "findings": findings, "loaders": loaders,
        "verdict": fields.get("verdict"), "steps": fields.get("steps"),
        "metrics": {row["name"]: {"unit": row["unit"], **row["summary"]} for row in fields.get("metrics", ())},
        "recorded": dict(session.recorded), "alerts": list(session.alerts), "optimizations": list(session.optimizations),
        "events_lost": fields["run"]["events_lost"] if fields else None, "not_measured": missing,
    }


def none_yet(level):
    """The summary where no session was ever begun."""
    return {"session": None, "name": None, "running": False, "started_at": None, "level": level, "directory": None,
            "wall_s": None,
            "operations": [], "bottlenecks": [], "findings": [], "loaders": [], "verdict": None, "steps": None, "metrics": {},
            "recorded": {}, "alerts": [], "optimizations": [], "events_lost": None,
            "not_measured": [{"what": "everything", "why": "no session was begun: start_profiling_session()"}]}


# --------------------------------------------------------------------------------------------------- two of them

def each_s(row):
    """Own seconds of one call of an operation; None where none ended."""
    return row["self_s"] / row["count"] if row["count"] else None


def compare_operation(before, after):
    from . import _read

    row = {"name": before["name"], "type": before["type"], "count": [before["count"], after["count"]],
           "severity": [before["severity"], after["severity"]], "self_each_s": [each_s(before), each_s(after)], "speedup": None}
    if before["blocks_s"] and after["blocks_s"]:
        ratio, low, high = _read.compare(before["blocks_s"], after["blocks_s"])
        row["speedup"] = [low, ratio, high]
    return row


def compare(before, after):
    """Two summaries side by side. `speedup` prices the work of the first at what a call took in the second: calls of the
    first times own time of each, summed over the operations that both have. Of an operation it is [low, ratio, high]
    of whole calls, above 1 where the second is faster."""
    newer = {(row["name"], row["type"]): row for row in after["operations"]}
    pairs = [(row, newer[row["name"], row["type"]]) for row in before["operations"] if (row["name"], row["type"]) in newer]
    priced = [(old["count"] * each_s(old), old["count"] * each_s(new)) for old, new in pairs if old["count"] and new["count"]]
    then, now = sum(pair[0] for pair in priced), sum(pair[1] for pair in priced)
    names = {(row["name"], row["type"]) for row, _ in pairs}
    return {
        "before": before["session"], "after": after["session"], "names": [before["name"], after["name"]],
        "wall_s": [before["wall_s"], after["wall_s"]],
        "speedup": then / now if then > 0 and now > 0 else None,
        "operations": [compare_operation(*pair) for pair in pairs],
        "only_before": [row["name"] for row in before["operations"] if (row["name"], row["type"]) not in names],
        "only_after": [row["name"] for row in after["operations"] if (row["name"], row["type"]) not in names],
        "step_s": [(summary["steps"] or {}).get("mean_s") for summary in (before, after)],
    }
