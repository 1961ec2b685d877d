"""`stallmeter top` beside real trainings: as text, as JSON, and on a terminal of our own."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest
from conftest import program, stallmeter

pytest.importorskip("torch", reason="a training needs it")
pytestmark = [pytest.mark.any_torch, pytest.mark.profilers]

TRAINING = """
import sys, time
import torch
from torch.utils.data import DataLoader, Dataset

class Slow(Dataset):
    def __len__(self):
        return 64

    def __getitem__(self, index):
        time.sleep(0.005)
        return torch.zeros(8), 0

if __name__ == "__main__":
    torch.set_num_threads(1)
    model = torch.nn.Linear(8, 2)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    loader = DataLoader(Slow(), batch_size=8, num_workers=2, persistent_workers=True)
    steps, until = 0, int(sys.argv[1])
    while steps < until:
        for x, y in loader:
            torch.nn.functional.cross_entropy(model(x), y).backward()
            optimizer.step()
            steps += 1
            print(steps, flush=True)
"""
ENDLESS = 10 ** 9
NO_SUCH_PID = 2 ** 22 + 1  # above the largest that the kernel gives


class Job:
    """A training under `stallmeter run`, with at least `steps` of its steps done."""

    def __init__(self, folder: Path, until: int, steps: int):
        (folder / "train.py").write_text(TRAINING)
        variables = {key: value for key, value in os.environ.items() if not key.startswith("STALLMETER")}
        self.folder, self.run = folder, folder / "runs" / "one"
        self.process = subprocess.Popen(
            [program(), "run", "-q", "-o", self.run, "--", sys.executable, "train.py", str(until)], cwd=folder, env=variables,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        assert self.process.stdout
        while int(self.process.stdout.readline() or steps) < steps:
            pass
        self.drain = subprocess.Popen(["cat"], stdin=self.process.stdout, stdout=subprocess.DEVNULL)
        self.process.stdout.close()

    def look(self, *arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
        return stallmeter("top", *arguments, code=code, cwd=self.folder)

    def line(self, *arguments: object) -> dict:
        return json.loads(self.look("--jsonl", "--once", *arguments).stdout)

    def children(self) -> list[int]:
        said = subprocess.run(["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True)
        return [int(word) for word in said.stdout.split()]

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=60)
        self.drain.wait(timeout=60)


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    job = Job(tmp_path_factory.mktemp("top"), ENDLESS, 60)
    yield job
    job.end()


def test_a_picture_as_text(job):
    said = job.look("--once", "runs/one").stdout
    assert "recording for" in said and "runs/one" in said
    assert "INPUT-BOUND" in said and "Steps/s" in said
    assert "\x1b" not in said, "a pipe is no terminal"
    assert max(map(len, said.splitlines())) <= 100
    workers = re.findall(r"^loader (\d) +(\d+) +\d.* (?:fetching|idle)", said, re.M)
    assert [index for index, _ in workers] == ["0", "1"]
    for _, pid in workers:
        assert Path(f"/proc/{pid}").exists()


def test_no_terminal_gives_one_picture(job):
    assert job.look("runs/one").stdout.count("stallmeter top") == 1


def test_a_line_of_json(job):
    line = job.line("runs/one")
    assert (line["schema"], line["state"]) == ("stallmeter/top/1", "recording")
    assert line["run"]["directory"] == "runs/one" and line["run"]["events_lost"] == 0
    low, high = line["verdict"]["exposed_stall_ci"]
    assert line["verdict"]["class"] == "INPUT_BOUND" and low <= line["verdict"]["exposed_stall_share"] <= high
    assert 0.2 < line["recent"]["exposed_stall_share"] <= 1
    assert line["recent"]["samples_per_s"] == pytest.approx(8 * line["recent"]["steps_per_s"])
    [loader] = line["loaders"]
    assert sum(stage["share"] for stage in loader["stages"]) == pytest.approx(1)
    assert [worker["index"] for worker in loader["workers"]] == [0, 1]
    for worker in loader["workers"]:
        assert 0.5 < worker["busy_share"] <= 1, "it sleeps in its data set nearly all the time"
        assert 0 <= worker["cpu_share"] < 0.5 and worker["rss_bytes"] > 1e7
    counters = {counter["counter"]: counter for counter in line["counters"]}
    assert 0 < counters["memory"]["value"] < counters["memory"]["limit"]
    assert counters["cpu"]["value"] > 0 and counters["shm"]["limit"] > 0


def test_it_follows(job):
    first = job.line("runs/one")["loaders"][0]["batches"]
    time.sleep(1)
    assert job.line("runs/one")["loaders"][0]["batches"] > first


def test_which_run_is_meant(job):
    said = job.look("--once")
    assert "watching runs/one" in said.stderr and "runs/one" in said.stdout
    worker = job.line("runs/one")["loaders"][0]["workers"][0]["pid"]
    for pid in [job.process.pid, worker, *job.children()]:
        assert job.line(pid)["run"]["directory"] == "runs/one", pid
    assert job.line(job.run / "rank0.stall")["state"] == "recording"
    assert "no process" in job.look("--once", NO_SUCH_PID, code=4).stderr
    assert "of no job" in job.look("--once", os.getpid(), code=4).stderr
    assert "SM940" in job.look("--once", "nowhere", code=3).stderr
    assert "one run at a time" in job.look("runs/one", "other", code=2).stderr


def test_looking_changes_nothing_and_opens_nothing_for_writing(job):
    top = subprocess.Popen([program(), "top", "--jsonl", "runs/one"], cwd=job.folder, stdout=subprocess.PIPE)
    assert top.stdout
    top.stdout.readline()
    opened = 0
    for link in Path(f"/proc/{top.pid}/fd").iterdir():
        if os.readlink(link).startswith(str(job.run)):
            flags = re.search(r"flags:\s*(\d+)", Path(f"/proc/{top.pid}/fdinfo/{link.name}").read_text())
            assert flags and int(flags[1], 8) & os.O_ACCMODE == os.O_RDONLY, os.readlink(link)
            opened += 1
    assert opened >= 2, "the trace and a mapping"
    top.terminate()
    assert top.wait(timeout=20) == -signal.SIGTERM


def test_lines_until_the_end(tmp_path):
    job = Job(tmp_path, 300, 25)
    top = subprocess.Popen([program(), "top", "--jsonl", "runs/one"], cwd=tmp_path, stdout=subprocess.PIPE, text=True)
    said, _ = top.communicate(timeout=200)
    assert top.returncode == 0
    job.end()
    lines = [json.loads(line) for line in said.splitlines()]
    assert [line["state"] for line in lines[-2:]] == ["recording", "finished"]
    walls = [line["run"]["wall_s"] for line in lines[:-1]]
    assert walls == sorted(walls)
    report = json.loads(stallmeter("report", job.run, "--json", "-").stdout)
    for key in ("class", "exposed_stall_share", "exposed_stall_ci", "ceiling_speedup"):
        assert lines[-1]["verdict"][key] == report["verdict"][key]
    assert lines[-1]["steps"]["count"] == report["steps"]["count"]
    assert lines[-1]["recent"] is None
    before = {path: path.stat().st_mtime_ns for path in job.run.rglob("*")}
    over = job.look("--once", "runs/one").stdout
    assert "The run is over" in over and "stallmeter report runs/one" in over
    assert before == {path: path.stat().st_mtime_ns for path in job.run.rglob("*")}


# --- on a terminal ---

needs_live_view = pytest.mark.skipif(shutil.which("infocmp") is None, reason="no descriptions of terminals here (ncurses-bin)")


class Terminal:
    """A terminal in which `stallmeter top` runs, and what it wrote there."""

    def __init__(self, job: Job, rows: int = 30, columns: int = 100, **variables: str):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        environment = {key: value for key, value in os.environ.items() if key not in ("NO_COLOR", "COLUMNS", "LINES", "LC_ALL")}
        self.top = subprocess.Popen(
            [program(), "top", "runs/one"], cwd=job.folder, env=environment | {"TERM": "xterm-256color", "LANG": "C.UTF-8"} | variables,
            stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        self.written = ""

    def resize(self, rows: int, columns: int) -> None:
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while select.select([self.master], [], [], max(0, until - time.monotonic()))[0]:
            self.written += os.read(self.master, 65536).decode(errors="replace")

    def await_text(self, wanted: str, seconds: float = 40) -> None:
        until = time.monotonic() + seconds
        while wanted not in self.plain() and time.monotonic() < until:
            self.read(0.2)
        assert wanted in self.plain(), f"{wanted!r} is not in {self.plain()[-3000:]!r}"

    def plain(self) -> str:
        """Without escapes; a cursor's move stands as a space."""
        return re.sub(r"\x1b(?:\[[?0-9;]*[A-Za-z]|[()][A-Z0-9]|[=>])", " ", self.written)

    def press(self, keys: str) -> None:
        self.written = ""
        os.write(self.master, keys.encode())

    def leave(self, code: int) -> None:
        assert self.top.wait(timeout=20) == code
        self.read(0.2)
        after = termios.tcgetattr(self.slave)
        assert after == self.before, "the terminal is not as it was"
        assert "\x1b[?1049l" in self.written, "the screen before was not given back"
        assert self.written.rfind("\x1b[?1049l") > self.written.rfind("\x1b[?1049h")
        assert "\x1b[?25h" in self.written or "\x1b[?12l" in self.written, "the cursor stayed hidden"
        os.close(self.master)
        os.close(self.slave)


@pytest.fixture
def terminal(job):
    made: list[Terminal] = []

    def terminal(**options) -> Terminal:
        made.append(Terminal(job, **options))
        return made[-1]

    yield terminal
    for one in made:
        if one.top.poll() is None:
            one.top.kill()
            one.top.wait()


@needs_live_view
def test_the_screen_and_its_keys(terminal):
    screen = terminal()
    for words in ("train.py", "INPUT-BOUND", "Mean step", "Steps/s", "loader 1", "quit", "sort: index"):
        screen.await_text(words)
    assert "█" in screen.written and "\x1b[31m" in screen.written
    screen.press("s")
    screen.await_text("busy")
    screen.press("?")
    screen.await_text("PgUp, PgDn")
    screen.press("?")
    screen.await_text("Mean step")
    screen.press("p")
    screen.await_text("paused")
    screen.press("\x1b[B\x1b[A\x1b[5~\x1b[6~")
    screen.press("q")
    screen.leave(0)


@needs_live_view
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, -signal.SIGTERM),
                                              (signal.SIGHUP, -signal.SIGHUP), (signal.SIGQUIT, -signal.SIGQUIT)])
def test_a_signal_gives_the_terminal_back(terminal, number, code):
    screen = terminal()
    screen.await_text("quit")
    screen.top.send_signal(number)
    screen.leave(code)


@needs_live_view
def test_it_follows_the_size(terminal):
    screen = terminal(rows=24, columns=80)
    screen.await_text("quit")
    for rows, columns in ((10, 40), (3, 20), (1, 1), (50, 160)):
        screen.written = ""
        screen.resize(rows, columns)
        screen.top.send_signal(signal.SIGWINCH)
        if rows > 1:
            screen.await_text("INPUT")
        else:
            screen.read(1.5)
        for row, column in re.findall(r"\x1b\[(\d+);(\d+)H", screen.written):
            assert int(row) <= rows and int(column) <= columns
    screen.await_text("loader 1")
    screen.press("q")
    screen.leave(0)


@needs_live_view
def test_no_colour_and_no_unicode(terminal):
    screen = terminal(NO_COLOR="1", LANG="C")
    screen.await_text("quit")
    assert not re.search(r"\x1b\[(?:\d+;)*[34][0-9]m", screen.written)
    assert screen.written.isascii()
    screen.press("q")
    screen.leave(0)


@needs_live_view
@pytest.mark.parametrize("kind", ["dumb", "no-such-terminal"])
def test_a_terminal_that_cannot(terminal, kind):
    screen = terminal(TERM=kind)
    screen.await_text("not known here")
    assert screen.top.wait(timeout=20) == 4
    assert termios.tcgetattr(screen.slave) == screen.before


@needs_live_view
def test_the_last_picture_stays_when_the_run_ends(tmp_path):
    job = Job(tmp_path, 100, 30)
    screen = Terminal(job)
    screen.await_text("recording")
    screen.await_text("The run is over")
    screen.await_text("stallmeter report runs/one")
    assert screen.top.poll() is None
    screen.press("q")
    screen.leave(0)
    job.end()
