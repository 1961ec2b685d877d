"""BottleneckProfiler: sessions, operations, alerts and detectors, files; each in a process of its own, as users have it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

jsonschema = pytest.importorskip("jsonschema")
import stallmeter
from conftest import ROOT, program

pytestmark = [pytest.mark.any_torch, pytest.mark.profilers]

SCHEMA = json.loads((ROOT / "docs" / "report-1.schema.json").read_text())
TRAININGS = Path(__file__).parent / "trainings"
HEAD = f"""
import json, logging, math, os, sys, threading, time
sys.path.insert(0, {str(TRAININGS)!r})
from advanced_bottleneck_profiler import BottleneckProfiler, BottleneckProfilerConfig, BottleneckType, ProfilingLevel


def spin(seconds):  # by its own clock, so that a busy machine makes it no longer in CPU time
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        pass


def raises(kind, function, *arguments, **keywords):
    try:
        function(*arguments, **keywords)
    except kind as problem:
        return str(problem)
    raise AssertionError(f"no {{kind.__name__}}")


def rows(summary):
    return {{row["name"]: row for row in summary["operations"]}}
"""


def run(folder: Path, source: str, *before: str, code: int = 0, **variables: str) -> subprocess.CompletedProcess[str]:
    (folder / "job.py").write_text(HEAD + source)
    clean = {key: value for key, value in os.environ.items() if not key.startswith("STALLMETER")}
    done = subprocess.run([*before, sys.executable, "job.py"], cwd=folder, env={**clean, "OMP_NUM_THREADS": "1", **variables},
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=180)
    assert done.returncode == code, done.stderr[-3000:]
    return done


def test_a_session_has_its_operations_by_their_own_time(tmp_path):
    run(tmp_path, """
profiler = BottleneckProfiler()
begun = time.monotonic()
session_id = profiler.start_profiling_session("training")
with profiler.profile_operation("outer", BottleneckType.DATA_LOADING) as span:
    spin(0.05)
    for _ in range(3):
        with profiler.profile_operation("inner", "CPU_COMPUTATION"):
            spin(0.02)
    now = profiler.get_bottleneck_summary()
    assert now["running"] and rows(now)["outer"]["open"] == 1 and rows(now)["outer"]["self_s"] >= 0.05, now
    assert rows(now)["inner"]["count"] == 3 and 0.06 <= rows(now)["inner"]["self_s"] <= now["wall_s"] - 0.05
session = profiler.stop_profiling_session()
wall = time.monotonic() - begun
assert (session.name, session.id, session.running) == ("training", session_id, False) and 0.11 <= session.wall_s <= wall
summary = profiler.get_bottleneck_summary()
assert summary == profiler.get_session_summary(session_id) == session.summary()
outer, inner = rows(summary)["outer"], rows(summary)["inner"]
assert (outer["count"], outer["open"], outer["type"], inner["type"]) == (1, 0, "DATA_LOADING", "CPU_COMPUTATION")
assert abs(outer["inclusive_s"] - outer["self_s"] - inner["inclusive_s"]) < 1e-6
assert 0.05 <= outer["self_s"] and 0.06 <= inner["self_s"] == inner["inclusive_s"]
for row in (outer, inner):
    assert abs(row["severity"] - row["self_s"] / summary["wall_s"]) < 1e-6
assert {row["name"] for row in summary["bottlenecks"]} == {"outer", "inner"}
assert [row.name for row in session.bottlenecks] == [row["name"] for row in summary["bottlenecks"]]
assert session.bottlenecks[0].severity >= session.bottlenecks[1].severity >= 0.05
assert [row.name for row in session.operations] and session.report.sessions[0].name == "training"
print(json.dumps(summary))
""")
    kept = tmp_path / "bottleneck_profiles" / "training"
    assert sorted(path.name for path in kept.iterdir()) == ["profile.json", "rank0.stall", "report.json"]
    report = json.loads((kept / "report.json").read_text())
    jsonschema.validate(report, SCHEMA)
    assert report["sessions"][0]["name"] == "training" and not report["sessions"][0]["open"]


def test_errors_of_use_name_what_is_wrong(tmp_path):
    run(tmp_path, """
profiler = BottleneckProfiler()
assert "start_profiling_session() begins one" in raises(RuntimeError, profiler.stop_profiling_session)
assert "nothing to save" in raises(RuntimeError, profiler.save_profiling_results, "x.pt")
for arguments in ((3,), (None,)):
    assert raises(TypeError, profiler.start_profiling_session, *arguments).startswith("name:")
assert raises(ValueError, profiler.start_profiling_session, " ").startswith("name:")
assert raises(TypeError, profiler.profile_operation, 3).startswith("name:")
assert raises(TypeError, profiler.profile_operation, "x", 3).startswith("type:")
assert "type: 'LOUD' is none of DATA_LOADING" in raises(ValueError, profiler.profile_operation, "x", "LOUD")
assert raises(TypeError, profiler.record_metric, "x", "y").startswith("value:")
assert raises(TypeError, profiler.record_metric, 1, 2).startswith("name:")
assert raises(TypeError, profiler.add_custom_bottleneck_detector, 3).startswith("function:")
assert raises(TypeError, profiler.add_alert_callback, None).startswith("function:")
assert raises(TypeError, BottleneckProfiler, {"profiling_level": "basic"}).startswith("config:")
assert raises(ValueError, profiler.get_session_summary, "nobody").startswith("session_id:")
assert raises(ValueError, profiler.compare_sessions, "a", "b").startswith("session_id:")
assert raises(TypeError, profiler.apply_optimizations, {"text": ""}).startswith("optimizations:")
assert profiler.apply_optimizations() == []  # its own suggestions, of which there are none
for takes_a_path in (profiler.load_profiling_results, profiler.generate_optimization_report):
    assert raises(TypeError, takes_a_path, 3) == "path: 3 is no path"
assert "no session was started" in profiler._repr_html_()
profiler.start_profiling_session("one")
assert "<iframe" in profiler._repr_html_()
assert "none of an open session; open: one-" in raises(ValueError, profiler.stop_profiling_session, "nobody")
profiler.stop_profiling_session()
assert raises(ValueError, profiler.save_profiling_results, "x.pkl").startswith("path:")
assert raises(ValueError, profiler.load_profiling_results, "x.pkl").startswith("path:")
assert raises(ValueError, profiler.generate_optimization_report, "x.pdf").startswith("path:")
raises(FileNotFoundError, profiler.load_profiling_results, "absent.json")
assert profiler.measure_improvement() != profiler.measure_improvement()  # nan
(empty := BottleneckProfiler()).get_bottleneck_summary()["bottlenecks"] == []
assert empty.profile_current_configuration()["session"] is None and empty.get_optimization_suggestions() == []
""")


def test_sessions_overlap_and_an_operation_is_in_all_that_are_open(tmp_path):
    run(tmp_path, """
profiler = BottleneckProfiler(BottleneckProfilerConfig(save_profiles=False))
first = profiler.start_profiling_session("same")
second = profiler.start_profiling_session("same")
assert first != second
with profiler.profile_operation("both"):
    spin(0.03)
assert profiler.stop_profiling_session(first).id == first
with profiler.profile_operation("second alone"):
    spin(0.03)
third = profiler.start_profiling_session("third")
with profiler.profile_operation("crosses"):
    spin(0.03)
    assert profiler.stop_profiling_session().id == third
    spin(0.04)
assert profiler.stop_profiling_session().id == second
with profiler.profile_operation("nobody's"):
    pass
a, b, c = map(profiler.get_session_summary, (first, second, third))
assert set(rows(a)) == {"both"} and set(rows(b)) == {"both", "second alone", "crosses"} and set(rows(c)) == {"crosses"}
assert (rows(c)["crosses"]["count"], rows(c)["crosses"]["open"]) == (0, 1)
assert 0.03 <= rows(c)["crosses"]["self_s"] <= c["wall_s"] and rows(b)["crosses"]["self_s"] >= 0.07
assert profiler.get_session(third).directory == profiler.get_session(first).directory
other = BottleneckProfiler(BottleneckProfilerConfig(save_profiles=False))
mine, others = profiler.start_profiling_session("mine"), other.start_profiling_session("other's")
with other.profile_operation("of both profilers"):
    spin(0.01)
assert profiler.stop_profiling_session().id == mine and not other.get_session(others).recording.over
assert other.get_session(others).directory == profiler.get_session(mine).directory
other.stop_profiling_session()
assert rows(other.get_session_summary(others)).keys() == rows(profiler.get_session_summary(mine)).keys() == {"of both profilers"}
late = profiler.start_profiling_session("late")
profiler.stop_profiling_session()
assert profiler.get_session(late).directory != profiler.get_session(first).directory
folder = profiler.get_session(late).directory
assert os.path.exists(folder) and not os.path.exists("bottleneck_profiles")
print(folder)
""")


def test_threads_generators_and_exceptions(tmp_path):
    run(tmp_path, """
import asyncio
profiler = BottleneckProfiler(BottleneckProfilerConfig(save_profiles=False))


@profiler.profile_operation("decorated", BottleneckType.PREPROCESSING)
def decorated(x):
    "says"
    spin(0.01)
    return x + 1


@profiler.profile_operation("steps")
def steps(count):
    for i in range(count):
        spin(0.01)
        got = yield i
    return "end"


@profiler.profile_operation("waits")
async def waits():
    spin(0.01)
    await asyncio.sleep(0.5)
    return 3


async def both():
    return await asyncio.gather(waits(), waits())


def asynchronous():
    yield 1


async def generator():
    yield 1

assert decorated(1) == 2 and decorated.__doc__ == "says"  # without a session
profiler.start_profiling_session("s")
assert decorated(1) == 2
for _ in steps(3):
    time.sleep(0.2)  # between two steps: not theirs
assert list(steps(3)) == [0, 1, 2] and asyncio.run(both()) == [3, 3]
assert "asynchronous generator" in raises(TypeError, profiler.profile_operation("no"), generator)
begun = steps(2)
next(begun)
begun.close()
try:
    with profiler.profile_operation("fails"):
        with profiler.profile_operation("inside"):
            1 / 0
except ZeroDivisionError:
    pass
with profiler.profile_operation("after"):
    spin(0.02)
threads = [threading.Thread(target=decorated, args=(1,)) for _ in range(3)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
found = rows(profiler.stop_profiling_session().summary())
assert found["decorated"]["count"] == 4 and found["decorated"]["severity"] <= 1
assert found["steps"]["count"] >= 9 and 0.07 <= found["steps"]["self_s"] < 0.5, found["steps"]
assert 0.02 <= found["waits"]["self_s"] < 0.4, "waiting is no work"
assert (found["fails"]["count"], found["inside"]["count"], found["after"]["open"]) == (1, 1, 0)
assert found["after"]["self_s"] >= 0.02
""")


def test_a_session_left_open_is_closed_at_the_end_and_nothing_is_lost(tmp_path):
    run(tmp_path, """
logging.basicConfig(level=logging.INFO)
profiler = BottleneckProfiler()
profiler.start_profiling_session("left")
profiler.start_profiling_session("open")
with profiler.profile_operation("work"):
    spin(0.02)
del profiler
""")
    report = stallmeter.load(tmp_path / "bottleneck_profiles" / "left")
    assert report.run.complete and {(row.name, row.open) for row in report.sessions} == {("left", False), ("open", False)}
    assert all(row.operations[0].count == 1 for row in report.sessions)
    saved = json.loads((tmp_path / "bottleneck_profiles" / "left" / "profile.json").read_text())
    assert {row["name"] for row in saved["sessions"]} == {"left", "open"} and len(saved["reports"]) == 1


def test_a_killed_session_is_in_its_trace(tmp_path):
    run(tmp_path, """
import signal
profiler = BottleneckProfiler()
profiler.start_profiling_session("killed")
with profiler.profile_operation("work"):
    spin(0.02)
os.kill(os.getpid(), signal.SIGKILL)
""", code=-9)
    report = stallmeter.load(tmp_path / "bottleneck_profiles" / "killed")
    assert report.sessions[0].open and report.sessions[0].operations[0].name == "work"


def test_a_fork_in_between_leaves_the_session_to_the_parent(tmp_path):
    run(tmp_path, """
profiler = BottleneckProfiler()
session_id = profiler.start_profiling_session("forked")
pid = os.fork()
if not pid:
    with profiler.profile_operation("in the child"):
        spin(0.02)
    assert "no profiling session is open" in raises(RuntimeError, profiler.stop_profiling_session)
    child = profiler.start_profiling_session("of the child")
    with profiler.profile_operation("child's own"):
        spin(0.01)
    assert rows(profiler.stop_profiling_session().summary())["child's own"]["count"] == 1
    sys.exit(0)
assert os.waitpid(pid, 0)[1] == 0
with profiler.profile_operation("in the parent"):
    spin(0.02)
summary = profiler.stop_profiling_session().summary()
found = rows(summary)
assert found["in the parent"]["severity"] > 0 and found["in the child"]["count"] == 1
assert found["in the child"]["severity"] is None, "it ran beside the session"
assert {row["name"] for row in summary["bottlenecks"]} == {"in the parent"}
""")


def test_under_run_the_sessions_are_of_that_run(tmp_path):
    done = run(tmp_path, """
logging.basicConfig(level=logging.INFO)
profiler = BottleneckProfiler()
profiler.start_profiling_session("inside")
with profiler.profile_operation("work"):
    spin(0.05)
session = profiler.stop_profiling_session()
assert session.bottlenecks[0].name == "work" and session.directory == os.path.abspath("outer")
assert session.alerts == []
profiler.generate_optimization_report("page.html")
""", program(), "run", "-q", "-o", "outer", "--")
    assert "at that run's level" in done.stderr
    report = stallmeter.load(tmp_path / "outer")
    assert report.sessions[0].name == "inside" and report.run.complete
    assert not (tmp_path / "bottleneck_profiles").exists() and "inside" in (tmp_path / "page.html").read_text()


def test_inside_profile_the_sessions_are_of_that_run(tmp_path):
    run(tmp_path, """
import stallmeter
profiler = BottleneckProfiler()
with stallmeter.profile("part") as part:
    profiler.start_profiling_session("inside")
    with profiler.profile_operation("work"):
        spin(0.05)
    session = profiler.stop_profiling_session()
    assert session.bottlenecks[0].name == "work"
assert part.report.sessions[0].name == "inside" and part.report.run.complete
""")


def test_the_users_own_detectors(tmp_path):
    done = run(tmp_path, """
import enum
logging.basicConfig(level=logging.WARNING)


class Mine(enum.Enum):
    SLOW = 1


def detector(metrics):
    asked.append(1)
    return Mine.SLOW if metrics["loss"] > 3 and metrics.get("absent", 1) else None


def broken(metrics):
    return {}["not a metric"]


def waits(metrics):
    return Mine.SLOW if metrics["never"] else None

asked = []
profiler = BottleneckProfiler()
for function in (detector, broken, waits):
    profiler.add_custom_bottleneck_detector(function)
profiler.record_metric("loss", 9)  # no session: nobody is asked
session_id = profiler.start_profiling_session("s")
profiler.record_metric("other", 1)
for loss in (1, 5, 4):
    profiler.record_metric("loss", loss)
summary = profiler.get_bottleneck_summary()
(found,) = [row for row in summary["bottlenecks"] if row["kind"] == "custom"]
assert (found["type"], found["name"], found["metrics"]) == ("SLOW", "detector", {"loss": 4.0, }), found
assert found["count"] >= 2 and summary["recorded"] == {"other": 1.0, "loss": 4.0}
session = profiler.stop_profiling_session()
assert [row["type"] for row in session.summary()["bottlenecks"]] == ["SLOW"]
assert session.report.sessions[0].notes == ["SLOW, says detector: loss 5"]
page = open(profiler.generate_optimization_report()).read()
assert "SLOW, says detector" in page and "SLOW, says detector" in open("bottleneck_profiles/s/report.md").read()
""")
    assert done.stderr.count("the detector broken raised, and is switched off") == 1 and "waits" not in done.stderr


def test_alerts_come_to_the_log_to_the_session_and_to_callbacks(tmp_path):
    done = run(tmp_path, """
logging.basicConfig(level=logging.WARNING)
config = BottleneckProfilerConfig(memory_threshold=1e-6)  # any memory is too much
profiler = BottleneckProfiler(config)
told, in_thread = [], []
profiler.add_alert_callback(lambda alert: told.append((alert["kind"], threading.current_thread().name)))
profiler.add_alert_callback(lambda alert: in_thread.append(threading.current_thread().name), in_thread=True)
profiler.add_alert_callback(lambda alert: 1 / 0)
profiler.start_profiling_session("s")
end = time.monotonic() + 20
while (not told or not in_thread) and time.monotonic() < end:
    with profiler.profile_operation("work"):
        time.sleep(0.02)
assert told[0] == ("memory", "MainThread"), told
assert in_thread[0] == "stallmeter alerts"
session = profiler.stop_profiling_session()
assert session.alerts[0]["kind"] == "memory" and session.summary()["alerts"] == session.alerts
assert session.report.alerts and session.report.alerts[0].kind == "memory"
page = open(profiler.generate_optimization_report()).read()
assert "memory" in page
""")
    assert "alert: memory is above its threshold of 0.0001 %" in done.stderr and done.stderr.count("is switched off") == 1


def test_what_is_not_tracked_is_not_sampled_and_said(tmp_path):
    run(tmp_path, """
config = BottleneckProfilerConfig(enable_real_time_monitoring=False)
profiler = BottleneckProfiler(config)
profiler.start_profiling_session("quiet")
with profiler.profile_operation("work"):
    time.sleep(0.3)
quiet = profiler.stop_profiling_session().summary()
assert rows(quiet)["work"]["count"] == 1
assert all(row["last"] is None for row in quiet["metrics"].values()), quiet["metrics"]
assert quiet["not_measured"]
profiler = BottleneckProfiler(BottleneckProfilerConfig(enable_cpu_tracking=False))
profiler.start_profiling_session("partly")
time.sleep(0.3)
partly = profiler.stop_profiling_session().summary()
has = {name for name, row in partly["metrics"].items() if row["last"] is not None}
assert any("memory" in name for name in has) and not any(name.startswith("cpu_") for name in has), has
""")


def test_production_keeps_to_its_room(tmp_path):
    run(tmp_path, """
import stallmeter.bottleneck_profiler as module
profiler = BottleneckProfiler(BottleneckProfilerConfig(profiling_level="production"))
for number in range(3):
    profiler.start_profiling_session(f"epoch {number}")
    with profiler.profile_operation("work"):
        spin(0.01)
    profiler.stop_profiling_session()
    module.PRODUCTION_BYTES = 1 << 20 if number < 1 else 1  # from here on only one has room
assert sorted(os.listdir("bottleneck_profiles")) == ["epoch 2"]
assert rows(profiler.sessions[0].summary())["work"]["count"] == 1, "its figures stay"
""")


def test_at_the_limit_of_a_run_shares_stay_right_and_the_rest_is_said(tmp_path):
    run(tmp_path, """
profiler = BottleneckProfiler()
profiler._limit_bytes = lambda: 1 << 18
profiler.start_profiling_session("full")
end = time.monotonic() + 3
while time.monotonic() < end:
    with profiler.profile_operation("half"):
        spin(5e-6)
    spin(5e-6)
session = profiler.stop_profiling_session()
summary, (entry,) = session.summary(), session.report.sessions
assert summary["events_lost"] > 0 and 0.5 < entry.lost_s < summary["wall_s"] - 0.01, entry
assert 0.35 < rows(summary)["half"]["severity"] < 0.75, rows(summary)["half"]
assert rows(summary)["half"]["self_s"] < 0.5 * summary["wall_s"]
assert any(row["what"] == "operations" and "lost" in row["why"] for row in summary["not_measured"]), summary["not_measured"]
assert sum(os.path.getsize(os.path.join(session.directory, name)) for name in os.listdir(session.directory)) < 2 << 20
""")


def test_sessions_are_compared_by_the_same_work(tmp_path):
    run(tmp_path, """
profiler = BottleneckProfiler(BottleneckProfilerConfig(save_profiles=False))
ids = []
for seconds, count in ((0.04, 20), (0.02, 40)):
    ids.append(profiler.start_profiling_session("s"))
    if seconds == 0.02:
        assert profiler.profile_current_configuration()["session"] == ids[1]
    for _ in range(count):
        with profiler.profile_operation("work"):
            time.sleep(seconds)
    with profiler.profile_operation(f"only {seconds}"):
        pass
    profiler.stop_profiling_session()
found = profiler.compare_sessions(*ids)
assert 1.5 < found["speedup"] <= 2.2, found
(work,) = found["operations"]
assert work["count"] == [20, 40] and work["speedup"][1] > 1.3 and work["speedup"] == sorted(work["speedup"])
assert (found["only_before"], found["only_after"]) == (["only 0.04"], ["only 0.02"])
assert profiler.measure_improvement() == 0  # nothing since that profile
profiler._baseline = profiler.get_session_summary(ids[0])
assert 50 < profiler.measure_improvement() < 120
""")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    run(folder, """
profiler = BottleneckProfiler()
profiler.start_profiling_session("first")
inner = profiler.start_profiling_session("second")
with profiler.profile_operation("work", BottleneckType.DISK_IO):
    spin(0.02)
profiler.record_metric("loss", 3)
profiler.stop_profiling_session(inner)
assert "the last session of its run" in raises(RuntimeError, profiler.save_profiling_results, "early.stall")
profiler.stop_profiling_session()
for ending in ("json", "pt", "stall"):
    assert profiler.save_profiling_results(f"profile.{ending}") == f"profile.{ending}"
json.dump([profiler.get_session_summary(session.id) for session in profiler.sessions], open("truth.json", "w"))
""")
    return folder


@pytest.mark.parametrize("ending", ["json", "pt", "stall"])
def test_what_was_saved_is_read_again(saved, ending, tmp_path):
    profiler = stallmeter.BottleneckProfiler()
    sessions = profiler.load_profiling_results(saved / f"profile.{ending}")
    truth = json.loads((saved / "truth.json").read_text())
    assert {session.name for session in sessions} == {"first", "second"}
    for row in truth:
        summary = profiler.get_session_summary(row["session"])
        assert summary["operations"] == row["operations"] and summary["bottlenecks"] == row["bottlenecks"]
        if ending != "stall":
            assert summary == row
    assert profiler.compare_sessions(*[row["session"] for row in truth])["speedup"] == pytest.approx(1, abs=0.5)
    page = Path(profiler.generate_optimization_report(tmp_path / "page.html"))
    for form in (page, page.with_suffix(".md")):
        assert "work" in form.read_text() and "DISK" in form.read_text()


def test_a_pt_is_one_tensor_of_bytes(saved):
    torch = pytest.importorskip("torch")
    tensor = torch.load(saved / "profile.pt", weights_only=True)
    assert tensor.dtype == torch.uint8 and tensor.dim() == 1
    assert json.loads(bytes(tensor.tolist())) == json.loads((saved / "profile.json").read_text())
    torch.save(tensor, saved / "again.pt")  # by torch itself: its pickle differs, its bytes do not
    assert len(stallmeter.BottleneckProfiler().load_profiling_results(saved / "again.pt")) == 2


def test_files_that_are_not_ours_are_refused_and_nothing_in_them_runs(saved, tmp_path):
    evil = b"\x80\x04cposix\nsystem\n(S'touch owned'\ntR."
    (tmp_path / "pickle.pt").write_bytes(evil)
    with zipfile.ZipFile(tmp_path / "evil.pt", "w") as archive:
        archive.writestr("x/data.pkl", evil)
    with zipfile.ZipFile(tmp_path / "both.pt", "w") as archive:
        archive.writestr("x/data.pkl", evil)
        archive.writestr("x/data/0", b"\x80\x04cposix\nsystem\n")
    with zipfile.ZipFile(tmp_path / "bomb.pt", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x/data/0", b" " * (1 << 20))
    whole = (saved / "profile.pt").read_bytes()
    (tmp_path / "cut.pt").write_bytes(whole[:len(whole) // 2])
    middle = bytearray(whole)
    middle[len(whole) // 2] ^= 0xFF
    (tmp_path / "flipped.pt").write_bytes(bytes(middle))
    (tmp_path / "broken.json").write_bytes(b"\xff{")
    (tmp_path / "deep.json").write_text("[" * 100000)
    (tmp_path / "list.json").write_text("[1]")
    (tmp_path / "other.json").write_text('{"schema": "other"}')
    (tmp_path / "bare.json").write_text('{"schema": "stallmeter/report/1"}')
    fields = json.loads((saved / "profile.json").read_text())
    del fields["sessions"][0]["operations"]
    (tmp_path / "part.json").write_text(json.dumps(fields))
    (tmp_path / "noise.stall").write_bytes(b"noise" * 100)
    profiler = stallmeter.BottleneckProfiler()
    for path in sorted(tmp_path.iterdir()):
        with pytest.raises(stallmeter.TraceError, match=path.name):
            profiler.load_profiling_results(path)
    assert profiler.sessions == [] and not (tmp_path / "owned").exists() and not Path("owned").exists()


LOADER = """
import torch
from pieces import Samples, Trainer
from torch.utils.data import DataLoader

profiler = BottleneckProfiler(BottleneckProfilerConfig(auto_optimize=AUTO, profile_output_dir="out"))
train_loader = profiler.wrap(DataLoader(Samples(60, 0.01), batch_size=2))
trainer = Trainer()
profiler.start_profiling_session("slow loader")
for epoch in range(2):
    with profiler.profile_operation("epoch", BottleneckType.DATA_LOADING):
        for batch in train_loader:
            with profiler.profile_operation("step", BottleneckType.CPU_COMPUTATION):
                trainer.step(batch, 0.002)
"""


def test_the_findings_of_a_loader_are_bottlenecks_and_what_helps_is_applied(tmp_path):
    pytest.importorskip("torch")
    run(tmp_path, LOADER.replace("AUTO", "False") + """
profile = profiler.profile_current_configuration()
assert profile["settings"][0]["num_workers"] == 0
kinds = {(row["kind"], row["type"]) for row in profile["bottlenecks"]}
assert ("operation", "DATA_LOADING") in kinds and any(kind == "finding" for kind, _ in kinds), kinds
assert profile["verdict"]["class"] == "INPUT_BOUND" and profile["loaders"] == ["train"]
assert rows(profile)["epoch"]["self_s"] > rows(profile)["step"]["self_s"], "the wait is the operation's around it"
suggestions = profiler.get_optimization_suggestions()
assert any(row["change"].get("num_workers") and row["loader"] == "train" for row in suggestions), suggestions
assert suggestions[0]["predicted_speedup"]
more = next(row for row in suggestions if "num_workers" in row["change"])
train_loader.seconds = 20  # a busy machine is slow to start workers; for the same reason two of them, however many are advised
done = profiler.apply_optimizations([{**more, "change": {"num_workers": 2}}])
assert done[0]["state"] == "kept" and profiler.measure_improvement() > 20, (done, profiler.measure_improvement())
assert train_loader.num_workers == 2 and profiler.optimizations == done
session = profiler.stop_profiling_session()
assert session.optimizations == done and "kept" in session.report.sessions[0].notes[0]
""")


def test_what_is_safe_is_applied_between_epochs_when_asked_for(tmp_path):
    pytest.importorskip("torch")
    run(tmp_path, LOADER.replace("AUTO", "True") + """
session = profiler.stop_profiling_session()
assert session.optimizations and session.optimizations[0]["state"] in ("kept", "taken_back"), session.optimizations
assert "batch_size" not in session.optimizations[0]["change"]
# what was tried is one operation of ours, and no loader, no step and no time of the training
report, by_name = session.report, rows(session.summary())
trial = by_name["stallmeter: trial of a loader's settings"]
assert sum(loader.stages[-1].count for loader in report.loaders) == 60, [dict(one) for loader in report.loaders for one in loader.stages]
assert {loader.name for loader in report.loaders} <= {"train", "train-2"}
assert trial["self_s"] > 1 and by_name["epoch"]["self_s"] < session.wall_s - trial["self_s"]
assert not any(row["name"] == trial["name"] for row in session.summary()["bottlenecks"])
assert report.verdict.exposed_stall_share > 0.2, "the time of the trial is not the training's"
""")


def test_an_instant_loader_inside_an_operation_is_no_bottleneck(tmp_path):
    run(tmp_path, """
profiler = BottleneckProfiler()
loader = profiler.wrap([[number] for number in range(60)], "held")
profiler.start_profiling_session("s")
with profiler.profile_operation("data_loading", BottleneckType.DATA_LOADING):
    for batch in loader:
        with profiler.profile_operation("step", BottleneckType.CPU_COMPUTATION):
            time.sleep(0.03)
summary = profiler.stop_profiling_session().summary()
assert rows(summary)["data_loading"]["severity"] < 0.05 < 0.9 < rows(summary)["step"]["severity"], summary["operations"]
assert [row["name"] for row in summary["bottlenecks"]] == ["step"] and summary["loaders"] == ["held"], summary["bottlenecks"]
""")


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_operations_in_workers_are_in_the_session(tmp_path, method):
    pytest.importorskip("torch")
    run(tmp_path, f"""
from torch.utils.data import DataLoader, Dataset


class Numbers(Dataset):
    def __init__(self, profiler):
        self.profiler = profiler

    def __len__(self):
        return 40

    def __getitem__(self, index):
        with self.profiler.profile_operation("decode", BottleneckType.PREPROCESSING):
            time.sleep(0.001)
        return index


def main():
    profiler = BottleneckProfiler()
    profiler.start_profiling_session("s")
    for batch in DataLoader(Numbers(profiler), batch_size=4, num_workers=2, multiprocessing_context={method!r}):
        with profiler.profile_operation("step"):
            time.sleep(0.01)
    summary = profiler.stop_profiling_session().summary()
    assert rows(summary)["decode"]["count"] == 40 and rows(summary)["decode"]["severity"] is None, summary["operations"]
    assert rows(summary)["step"]["severity"] > 0 and "decode" not in [row["name"] for row in summary["bottlenecks"]]


if __name__ == "__main__":
    main()
""")


def test_nothing_of_the_reader_is_imported_before_a_summary_is_asked_for():
    code = ("import advanced_bottleneck_profiler as m, sys, stallmeter; p = m.BottleneckProfiler()\n"
            "assert m.BottleneckProfiler is stallmeter.BottleneckProfiler\n"
            "print(sorted(name for name in sys.modules if name in ('torch', 'numpy', 'stallmeter._read')))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_its_page_has_the_levels_as_they_are():
    page = (ROOT / "docs" / "bottleneck-profiler.md").read_text()
    source = (ROOT / "src" / "collect" / "level.c").read_text()
    for level in stallmeter.ProfilingLevel:
        fast, mib = re.search(rf"\[SM_LEVEL_{level.name}\] = \{{\{{(\d+ \* \w+),.*?(\d+) \* MIB\}}", source, re.DOTALL).groups()
        row = next(line for line in page.splitlines() if line.startswith(f"| `{level.name}`"))
        seconds = {"1 * SECOND": "1 s", "100 * MS": "0.1 s"}[fast]
        room = f"{int(mib) // 1024} GiB" if int(mib) >= 1024 else f"{mib} MiB"
        assert seconds == row.split("|")[3].strip() and room in row.split("|")[4], row


def test_the_examples_of_its_page_run(tmp_path):
    pytest.importorskip("torch")
    page = (ROOT / "docs" / "bottleneck-profiler.md").read_text()
    blocks = [part.split("```")[0] for part in page.split("```python\n")[1:]]
    assert len(blocks) == 6
    done = run(tmp_path, "\n".join(blocks))
    assert "% " in done.stdout and "report.html" in done.stdout and (tmp_path / "mine.html").exists()
