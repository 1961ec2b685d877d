"""Python stacks as they are read from outside, against what the process itself says, on every interpreter here."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter

import pytest
from conftest import other_interpreters, program, stallmeter

pytestmark = [pytest.mark.any_torch, pytest.mark.profilers]

PYTHONS = [sys.executable, *other_interpreters()]

# Threads that stand still in known places, and what sys._current_frames says of them; the same in a forked child.
STANDING = '''
import json, os, sys, threading, time

hold = threading.Event()

class Reader:
    def __init__(self, depth): self.value = self.read(depth)
    def read(self, depth):
        if depth: return self.read(depth - 1)
        return next(self.rows())
    def rows(self):
        yield hold.wait(
            60)

def through_c(depth):
    return max([depth], key=lambda one: Reader(one).value)

def hot(): return [Cheap(n) for n in range(3)]
class Cheap:
    def __init__(self, n): self.n = n
for _ in range(500): hot()

def deep(n):
    if n: return deep(n - 1)
    (lambda: hold.wait(60))()

def stack(frame):
    names = []
    while frame:
        code = frame.f_code
        names.append([getattr(code, "co_qualname", code.co_name), frame.f_lineno])
        frame = frame.f_back
    return names[::-1]

def stand(name):
    threads = [threading.Thread(target=target, args=(depth,), name=f"{target.__name__}", daemon=True)
               for target, depth in [(Reader, 3), (through_c, 2), (deep, 40), (deep, 120)]]
    for thread in threads: thread.start()
    time.sleep(0.5)
    frames = sys._current_frames()
    stacks = [stack(frames[thread.ident]) for thread in threads]
    with open(name + '.json', 'w') as out: json.dump([os.getpid(), stacks], out)
    time.sleep(1.5)
    hold.set()
    for thread in threads: thread.join()

pid = os.fork()
stand("child" if not pid else "parent")
if not pid: os._exit(0)
os.waitpid(pid, 0)
'''


def collapsed(run) -> list[tuple[str, int, list[tuple[str, int]], str, int]]:
    """(thread, pid, [(function, line)], state, milliseconds) of each distinct stack."""
    rows = []
    for line in stallmeter("export", run, "--to", "collapsed").stdout.splitlines():
        stack, milliseconds = line.rsplit(" ", 1)
        first, *frames = stack.split(";")
        state = frames.pop()[1:-1] if frames[-1].startswith("[") else ""
        places = [re.fullmatch(r"(.*) \((.*):(\d+)\)", frame) for frame in frames]
        thread, pid = first.rsplit(" ", 1)
        rows.append((thread, int(pid), [(place[1], int(place[3])) for place in places], state, int(milliseconds)))
    return rows


def record(tmp_path, python, source):
    script = tmp_path / "train.py"
    script.write_text(source)
    done = stallmeter("run", "--quiet", "--no-report", "--level", "comprehensive", "-o", tmp_path / "run", "--", python, script, cwd=tmp_path)
    return done.stdout, tmp_path / "run"


@pytest.mark.parametrize("python", PYTHONS)
def test_threads_that_stand_are_seen_where_they_say_they_are(python, tmp_path):
    _, run = record(tmp_path, python, STANDING)
    rows = collapsed(run)
    for name in ("parent", "child"):
        pid, stacks = json.loads((tmp_path / f"{name}.json").read_text())
        seen = {tuple(frames): (state, milliseconds) for _, at, frames, state, milliseconds in rows if at == pid}
        for stack in stacks:
            wanted = tuple(map(tuple, stack))
            assert wanted in seen, f"{wanted} of {pid} was not seen, but {list(seen)}"
            state, milliseconds = seen[wanted]
            assert state == "lock"
            assert milliseconds > 700, "two seconds long, a hundred times a second"


SHARES = '''
import os, sys, time

def spin(seconds):
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass

def small(): spin(0.02)
def large(): spin(0.06)

begin = time.monotonic()
for _ in range(40):
    small()
    large()
print(time.monotonic() - begin)
'''


@pytest.mark.parametrize("python", PYTHONS)
def test_shares_are_those_of_the_time_spent(python, tmp_path):
    told, run = record(tmp_path, python, SHARES)
    running = Counter()
    for _, _, frames, state, milliseconds in collapsed(run):
        names = [name for name, _ in frames]
        if state in ("", "runnable") and ("small" in names or "large" in names):
            running["small" if "small" in names else "large"] += milliseconds
    share = running["small"] / sum(running.values())
    # 320 looks of one part in four: a standard error of 2.4 points.
    assert share == pytest.approx(0.25, abs=0.08)
    assert sum(running.values()) == pytest.approx(1e3 * float(told), rel=0.15), "all the time it lasted"


def test_levels_that_look_at_nothing(tmp_path):
    script = tmp_path / "train.py"
    script.write_text("import time\ntime.sleep(0.5)\n")
    for level in ("basic", "detailed", "production"):
        stallmeter("run", "--quiet", "--no-report", "--level", level, "-o", tmp_path / level, "--", sys.executable, script)
        assert not collapsed(tmp_path / level)


def test_another_program_in_the_same_process(tmp_path):
    """A shell that becomes Python: the pid is known before the interpreter is there."""
    script = tmp_path / "train.py"
    script.write_text("import time\ndef wait(): time.sleep(2)\nwait()\n")
    stallmeter("run", "--quiet", "--no-report", "--level", "comprehensive", "-o", tmp_path / "run", "--",
               "/bin/sh", "-c", f"sleep 0.3; exec {sys.executable} {script}")
    assert any(frames[-1] == ("wait", 2) and state == "sleep" for _, _, frames, state, _ in collapsed(tmp_path / "run"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody who may not read")
def test_where_memory_may_not_be_read_it_is_said(tmp_path):
    """A job under another user, with a collector that has no right over it."""
    tmp_path.chmod(0o777)
    for folder in tmp_path.parents:
        if folder.stat().st_uid == os.geteuid() and str(folder) not in ("/", "/tmp"):
            folder.chmod(folder.stat().st_mode | 0o055)
    script = tmp_path / "train.py"
    script.write_text("import ctypes, time\nctypes.CDLL(None).prctl(4, 0)\ntime.sleep(1.5)\n")  # PR_SET_DUMPABLE
    code = (f"import os, subprocess\nos.setgid(65534); os.setuid(65534)\nos.environ['HOME'] = '/'\n"
            f"raise SystemExit(subprocess.call([{program()!r}, 'run', '--quiet', '--no-report', '--level', 'comprehensive', '-o', '{tmp_path}/run', '--',"
            f" '/usr/bin/python3', '{script}']))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    report = json.loads(stallmeter("report", tmp_path / "run", "--json", "-").stdout)
    assert any(entry["what"] == "stacks" and "CAP_SYS_PTRACE" in entry["why"] for entry in report["not_measured"])


TRAINING = '''
import hashlib, time, torch
from torch.utils.data import DataLoader, Dataset

def native(rounds):
    hashlib.pbkdf2_hmac("sha256", b"x", b"y", rounds)

def python(rounds):
    x = 0
    for i in range(rounds): x += i

def rounds_of(work, seconds):
    begin = time.thread_time()
    work(100000)
    return int(100000 * seconds / (time.thread_time() - begin))

class Set(Dataset):
    def __init__(self): self.rounds = rounds_of(native, 0.009), rounds_of(python, 0.003)
    def __len__(self): return 240
    def __getitem__(self, index):
        native(self.rounds[0])
        python(self.rounds[1])
        return torch.zeros(8)

if __name__ == "__main__":
    torch.set_num_threads(1)
    train_loader = DataLoader(Set(), batch_size=4, num_workers=2)
    for epoch in range(2):
        for batch in train_loader:
            batch.sum()
'''


def test_a_training_is_told_to_the_line(tmp_path):
    pytest.importorskip("torch")
    _, run = record(tmp_path, sys.executable, TRAINING)
    report = json.loads(stallmeter("report", run, "--json", "-").stdout)
    assert report["stacks"]["torn"] < 0.01 * report["stacks"]["samples"]
    lines = report["hot_lines"]
    assert lines, "no line was hot"
    top = lines[0]
    source = TRAINING.splitlines()
    assert source[top["line"] - 1].strip().startswith("hashlib.pbkdf2"), top
    assert (top["function"], top["stage"], top["loader"]) == ("native", "fetch", "train")
    assert top["native_share"] > 0.9
    fetch = {stage["stage"]: stage["share"] for stage in report["loaders"][0]["stages"]}["fetch"]
    of_fetch = [line for line in lines if line["stage"] == "fetch"]
    native = sum(line["share"] for line in of_fetch if line["function"] == "native")
    # Nine parts in twelve, as far as the calibration holds on a machine that others use as well.
    assert native / fetch == pytest.approx(0.75, abs=0.12)
    finding = next(one for one in report["findings"] if one["type"] == "PREPROCESSING_BOTTLENECK")
    assert (finding["where"]["file"], finding["where"]["line"]) == ("train.py", top["line"])
    assert finding["where"]["function"] == "native"
    page = stallmeter("report", run, "--html", "-").stdout
    assert "Hottest lines" in page
