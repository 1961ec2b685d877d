"""Alerts: told by the collector while the job runs, on the socket by which it is told to end, and kept in the run."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys

import pytest

jsonschema = pytest.importorskip("jsonschema")
import stallmeter
from conftest import ROOT, program
from stallmeter import profiling

pytestmark = [pytest.mark.any_torch, pytest.mark.profilers]

SCHEMA = json.loads((ROOT / "docs" / "report-1.schema.json").read_text())

LINE = b'{"time_s": 1.5, "kind": "memory", "value": 0.9, "threshold": 0.8, "state": "begin"}\n'


def pair():
    ours, its = socket.socketpair()
    ours.setblocking(False)
    return profiling.Told(ours), its


def test_lines_are_drained_without_waiting():
    told, its = pair()
    assert profiling.drain_alerts(told) == []
    its.sendall(LINE + LINE[:20])
    assert profiling.drain_alerts(told) == [json.loads(LINE)]
    assert profiling.drain_alerts(told) == [], "half a line is no alert yet"
    its.sendall(LINE[20:] + LINE)
    assert len(profiling.drain_alerts(told)) == 2


def test_what_came_with_the_end_is_not_lost():
    told, its = pair()
    its.sendall(LINE)
    its.close()
    profiling.end_collector(told)
    assert profiling.drain_alerts(told) == [json.loads(LINE)]
    assert profiling.drain_alerts(told) == []


@pytest.mark.parametrize(("name", "value", "error"), [
    ("interval", 0, ValueError), ("interval", float("nan"), ValueError), ("interval", "1", TypeError),
    ("memory_threshold", 1.5, ValueError), ("gpu_threshold", -0.1, ValueError), ("gpu_threshold", True, TypeError),
    ("without", "memory", TypeError), ("without", 3, TypeError), ("without", ["disk"], ValueError)])
def test_wrong_arguments_are_named(tmp_path, name, value, error):
    with pytest.raises(error, match=f"^{name}: "), stallmeter.profile(tmp_path / "run", **{name: value}):
        pass
    assert not (tmp_path / "run").exists()


def profiled(folder, source, *arguments):
    """What the script printed, as JSON, and the report of the run that it made in `folder`."""
    (folder / "job.py").write_text(source)
    clean = {key: value for key, value in os.environ.items() if not key.startswith("STALLMETER")}
    done = subprocess.run([sys.executable, "job.py", *map(str, arguments)], cwd=folder, env=clean, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    report = json.loads(stallmeter.load(folder / "run").to_json())
    jsonschema.validate(report, SCHEMA)
    return json.loads(done.stdout), report


# It eats until the kernel itself says that the threshold is passed, and looks how long it takes until it is told so.
EATS = """
import json, sys, time
import stallmeter

def used():
    numbers = {}
    for line in open("/proc/meminfo"):
        name, value = line.split(":")
        numbers[name] = int(value.split()[0]) * 1024
    return 1 - numbers["MemAvailable"] / numbers["MemTotal"], numbers["MemTotal"]

share, total = used()
threshold = share + max(0.02, min(0.06, 3e9 / total))
held, told = [], []
with stallmeter.profile("run", interval=float(sys.argv[1]), memory_threshold=threshold) as run:
    time.sleep(1)
    told += run.alerts()
    before = [alert for alert in told if alert["kind"] == "memory"]
    while used()[0] < threshold + 0.005:
        block = bytearray(64 << 20)
        block[::4096] = b"x" * len(block[::4096])
        held.append(block)
    passed = time.monotonic()
    while not any(alert["kind"] == "memory" for alert in told) and time.monotonic() < passed + 20:
        time.sleep(0.005)
        told += run.alerts()
    late = time.monotonic() - passed
told += run.alerts()
print(json.dumps({"threshold": threshold, "before": before, "late": late, "told": told, "total": total}))
"""


@pytest.mark.parametrize("interval", [0.1, 0.5])
def test_a_process_that_eats_memory_is_told_within_two_intervals(tmp_path, interval):
    late = []
    for attempt in range(3):  # others may have the CPUs at that moment
        folder = tmp_path / str(attempt)
        folder.mkdir()
        said, report = profiled(folder, EATS, interval)
        late.append(said["late"])
        if said["late"] < 2 * interval and not said["before"]:
            break
    assert min(late) < 2 * interval, late
    assert said["before"] == [], "others have eaten meanwhile"
    first = next(alert for alert in said["told"] if alert["kind"] == "memory")
    assert first["state"] == "begin" and first["threshold"] == pytest.approx(said["threshold"], rel=1e-4)
    assert first["value"] > first["threshold"]
    assert report["alerts"], "the log of the run holds what was told"
    for alert, kept in zip(said["told"], report["alerts"], strict=True):
        assert (alert["kind"], alert["state"]) == (kept["kind"], kept["state"])
        assert kept["value"] == pytest.approx(alert["value"], rel=1e-4) and kept["time_s"] == pytest.approx(alert["time_s"], abs=1e-3)
    watched = {row["kind"]: row["threshold"] for row in report["watched"]}
    assert watched["memory"] == pytest.approx(said["threshold"], rel=1e-6) and "cpu" in watched


SPINS = """
import json, os, time
import stallmeter

os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
told = []
with stallmeter.profile("run", interval=0.1) as run:
    end = time.monotonic() + 20
    while not any(alert["kind"] == "cpu" for alert in told) and time.monotonic() < end:
        for _ in range(1000000):
            pass
        told += run.alerts()
    took = 20 - (end - time.monotonic())
print(json.dumps({"told": told, "took": took}))
"""


def test_the_only_cpu_that_a_job_may_use_is_saturated(tmp_path):
    said, report = profiled(tmp_path, SPINS)
    alert = next(alert for alert in said["told"] if alert["kind"] == "cpu")
    assert alert["state"] == "begin" and alert["value"] > 0.95 == alert["threshold"]
    assert 3 < said["took"] < 8, "three seconds of it, and no sooner"
    assert any(row["kind"] == "cpu" for row in report["alerts"])
    run = stallmeter.load(tmp_path / "run")
    html, markdown = run.to_html(), run.to_markdown()
    assert "<td>CPU saturated</td>" in html and "| CPU saturated |" in markdown


SLEEPS = """
import json, sys, time
import stallmeter

with stallmeter.profile("run", **json.loads(sys.argv[1])) as run:
    time.sleep(2.5)
print(json.dumps(run.alerts()))
"""


def test_groups_that_were_switched_off_are_not_there(tmp_path):
    _, report = profiled(tmp_path, SLEEPS, json.dumps({"without": ["memory", "io"], "memory_threshold": 0}))
    for metric in report["metrics"]:
        if metric["group"] in ("memory", "io"):
            assert metric["missing"] == "switched off" and metric["series"]["value"] == []
    reasons = {name: row["why"] for row in report["not_measured"] for name in row["what"].split(", ")}
    assert reasons["memory"] == reasons["io"] == reasons["process_memory"] == reasons["network"] == "switched off"
    cpu = next(metric for metric in report["metrics"] if metric["name"] == "process_cpu")
    assert cpu["summary"]["mean"] is not None
    assert {row["kind"] for row in report["watched"]} <= {"cpu", "gpu_memory"}
    assert not [alert for alert in report["alerts"] if alert["kind"] == "memory"], "0 would be passed at once"


@pytest.mark.parametrize(("settings", "expected"), [({}, 0.1), ({"interval": 0.5}, 0.5), ({"interval": 0.001}, 0.1),
                                                    ({"interval": 0.1, "level": "basic"}, 1)])
def test_the_interval_is_kept_and_never_faster_than_the_level(tmp_path, settings, expected):
    _, report = profiled(tmp_path, SLEEPS, json.dumps(settings))
    series = next(metric["series"] for metric in report["metrics"] if metric["name"] == "memory_available")
    span = series["time_s"][-1] - series["time_s"][0]
    assert span / (len(series["time_s"]) - 1) == pytest.approx(expected, rel=0.35)


@pytest.mark.parametrize(("option", "value", "said"), [
    ("--interval", "0", "is no number of seconds above 0"), ("--interval", "soon", "is no number of seconds above 0"),
    ("--memory-threshold", "80%", "is no share, 0 to 1"), ("--gpu-threshold", "1.5", "is no share, 0 to 1"),
    ("--without", "memory,disk", "--without takes memory, gpu, cpu and io")])
def test_the_program_refuses_what_makes_no_sense(tmp_path, option, value, said):
    done = subprocess.run([program(), "collect", option, value, "run"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 2 and said in done.stderr
    assert not (tmp_path / "run").exists()


def test_the_example_of_the_documentation_runs(tmp_path):
    text = (ROOT / "docs" / "monitoring.md").read_text()
    example = "\n".join(line[4:] for line in text.splitlines() if line.startswith("    "))
    assert "stallmeter.profile(" in example
    (tmp_path / "example.py").write_text(example)
    done = subprocess.run([sys.executable, "example.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "Process memory (RSS)" in done.stdout and "GPU utilization" in done.stdout


def test_the_documentation_names_every_metric_and_kind():
    text = (ROOT / "docs" / "monitoring.md").read_text()
    names = [part["contains"]["properties"]["name"]["const"] for part in SCHEMA["properties"]["metrics"]["allOf"]]
    assert len(names) == 16
    for name in [*names, "memory", "gpu_memory", "cpu", "io", "storage_read", "process_cpu"]:
        assert f"`{name}`" in text, name
