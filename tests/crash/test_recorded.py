"""Nothing recorded is lost: however the job, its children, the collector or the disk end."""

import contextlib
import json
import os
import random
import signal
import subprocess
import time

import pytest
from conftest import PROGRAM, collector_of, is_whole, job_of, wait_for

JOB = str(PROGRAM.parent.parent.parent / "tests" / "crash" / "recorded_job")
REPEAT = 100 if os.environ.get("STALLMETER_NIGHTLY") else 3


def report_of(runner, name: str = "out") -> dict:
    done = subprocess.run([PROGRAM, "report", name, "--json", "-"], cwd=runner.folder, env=runner.environment,
                          capture_output=True, timeout=60)
    assert done.returncode in (0, 3), done.stderr
    return json.loads(done.stdout)


def spans_of(report: dict) -> int:
    return sum(operation["count"] for operation in report["operations"] if operation["name"] == "work")


@pytest.mark.parametrize("how, code", [("stop", 0), ("exit", 33), ("kill", 137)])
def test_every_span_is_kept_however_it_ends(runner, how, code):
    assert runner.run(JOB, "20000", "0.3", how).returncode == code
    report = report_of(runner)
    assert spans_of(report) == 20000
    assert report["run"]["events_lost"] == 0
    assert not (runner.folder / "out" / "live").exists()


def test_children_have_mappings_of_their_own(runner):
    assert runner.run(JOB, "20000", "0.3", "fork").returncode == 0
    assert spans_of(report_of(runner)) == 60000


def test_more_than_a_mapping_holds(runner):
    """Slots come back while it runs, so the mapping never grows to what passes through it."""
    process = runner.start(JOB, "3000000", "1", "stop")
    largest = 0
    while process.poll() is None:
        for ring in (runner.folder / "out" / "live").glob("*.ring"):
            largest = max(largest, ring.stat().st_size if ring.exists() else 0)
        time.sleep(0.02)
    assert process.returncode == 0
    report = report_of(runner)
    assert spans_of(report) + report["run"]["events_lost"] / 2 >= 3000000 - 1
    assert report["run"]["events_lost"] == 0
    assert 0 < largest < 64 << 20


@pytest.mark.parametrize("attempt", range(REPEAT))
def test_killed_collector_leaves_everything_in_the_mappings(runner, attempt):
    process = runner.start(JOB, "20000", "0.6", "stop", options=("--no-report", "-o", "out"))
    collector = wait_for(lambda: collector_of(process.pid))
    time.sleep(random.Random(attempt).uniform(0, 0.7))
    with contextlib.suppress(ProcessLookupError):  # it may just have ended
        os.kill(collector, signal.SIGKILL)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert b"the collector was killed" in errors or is_whole(runner.trace())
    assert spans_of(report_of(runner)) == 20000


@pytest.mark.parametrize("attempt", range(REPEAT))
def test_killed_job_at_a_random_moment(runner, attempt):
    process = runner.start(JOB, "20000", "0.6", "wait")
    job = wait_for(lambda: job_of(process.pid))
    time.sleep(random.Random(attempt).uniform(0.05, 0.6))
    os.kill(job, signal.SIGKILL)
    assert process.wait(20) == 137
    assert is_whole(runner.trace())
    assert b"complete=0" in runner.trace()
    spans_of(report_of(runner))


@pytest.mark.parametrize("attempt", range(REPEAT))
def test_killed_run_at_a_random_moment(runner, attempt):
    process = runner.start(JOB, "20000", "0.6", "stop", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    collector = wait_for(lambda: collector_of(process.pid))
    wait_for(lambda: job_of(process.pid))
    time.sleep(random.Random(attempt).uniform(0, 0.6))
    process.kill()
    process.wait()
    wait_for(lambda: not os.path.exists(f"/proc/{collector}"), seconds=15)
    assert is_whole(runner.trace())
    assert spans_of(report_of(runner)) == 20000


def test_mappings_stay_out_of_the_jobs_memory(runner):
    with_shm = subprocess.run(["mktemp", "-d", "/dev/shm/stallmeter-test-XXXXXX"], capture_output=True, text=True)
    folder = with_shm.stdout.strip()
    try:
        done = runner.run("sh", "-c", f"{JOB} 1000 0.2 stop; cat out/live.path; find {folder} -name '*.ring'", cwd=folder)
        made, live = done.stdout.decode().splitlines()
        assert made == "made"
        assert live.startswith(str(runner.folder / "tmp"))
        assert not os.path.exists(live)
        assert sorted(os.listdir(f"{folder}/out")) == ["rank0.stall"]
    finally:
        subprocess.run(["rm", "-rf", folder])


def test_a_collector_for_a_process_that_runs_already(runner):
    """`stallmeter collect`, as the Python interface starts it."""
    environment = {**runner.environment, "STALLMETER_LIVE": str(runner.folder / "out" / "live")}
    script = f"{PROGRAM} collect out --pid $$ && exec {JOB} 20000 0.5 stop"
    done = subprocess.run(["sh", "-c", script], cwd=runner.folder, env=environment, capture_output=True, timeout=30)
    assert done.returncode == 0, done.stderr
    wait_for(lambda: not (runner.folder / "out" / "live").exists(), seconds=6)
    wait_for(lambda: is_whole(runner.trace()), seconds=5)
    assert spans_of(report_of(runner)) == 20000
    again = subprocess.run([PROGRAM, "collect", "out", "--pid", "999999999"], cwd=runner.folder, capture_output=True, timeout=10)
    assert again.returncode == 4


def test_the_collector_is_cheap(runner):
    """A bound for a busy test machine; `make bench` measures it."""
    assert runner.run("sh", "-c", "for i in 1 2 3 4 5 6 7 8; do sleep 6 & done; wait").returncode == 0
    words = dict(line.split(b"=", 1) for line in runner.trace().split(b"\n") if line.startswith(b"collector."))
    assert float(words[b"collector.cpu_s"]) / float(words[b"collector.wall_s"]) < 0.02
