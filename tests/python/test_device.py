"""Exposed stall as recorded, against the log of a device that knows when it stood still.

The six kinds of training are those where a timer around next() is most wrong: a loop may wait nearly all of its time and lose
nothing. True exposed stall of a step is the device's gap before it, less the part that launching alone would have left.
"""

import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT, inject_folder

import ring

sys.path.insert(0, str(inject_folder()))
from _stallmeter import vocabulary as v

FAKE = ROOT / "tests/corpus/accelerator"
WORK = 0.010  # seconds of device work a step
STEPS = 110

# kind -> seconds between batches of the loader (cycled), launch, steps ahead, synchronous, batches kept ready
KINDS = {
    "device-bound, bursty": dict(makes=[0.0, 0.0, 0.0285], launch=0.0005, ahead=4, ready=8),
    "device-bound, bursty, no limit ahead": dict(makes=[0.0, 0.0, 0.0285], launch=0.0005, ahead=None, ready=8),
    "balanced, bursty": dict(makes=[0.0, 0.020], launch=0.0005, ahead=4, ready=8),
    "data-bound, asynchronous": dict(makes=[0.014], launch=0.0005, ahead=4, ready=8),
    "data-bound, synchronous": dict(makes=[0.014], launch=0.0005, synchronous=True, ready=8),
    "launch-bound": dict(makes=[0.001], launch=0.012, ahead=4, ready=8),
}

PROGRAM = '''
import json, queue, sys, threading, time
sys.path[:0] = sys.argv[2:]
import fake_device, stallmeter, accelerator
kind = json.loads(sys.argv[1])
fake_device.register()

class Loader:
    """A background producer with a window, as workers and prefetching make one."""
    def __iter__(self):
        window = queue.Queue(kind["ready"])
        def produce():
            due = time.monotonic()
            for step in range(kind["steps"]):
                due = max(due, time.monotonic() - 0.001) + kind["makes"][step % len(kind["makes"])]
                time.sleep(max(0, due - time.monotonic()))
                window.put(step)
            window.put(None)
        threading.Thread(target=produce, daemon=True).start()
        while (batch := window.get()) is not None:
            yield batch

stream = fake_device.Stream(kind.get("ahead"), kind.get("synchronous", False))
launches = []
for batch in stallmeter.wrap(Loader(), name="train"):
    time.sleep(kind["launch"])
    launches.append(stream.step(kind["work"]))
accelerator.synchronize()
list(stallmeter.wrap([]))
print(json.dumps({"launches": launches, "busy": accelerator.busy()}))
'''


@pytest.fixture(scope="module")
def train(tmp_path_factory, inject):
    sys.path.insert(0, str(FAKE))
    import accelerator

    library = accelerator.build(tmp_path_factory.mktemp("accelerator"))

    def train(kind):
        folder = tmp_path_factory.mktemp("device")
        (folder / "train.py").write_text(PROGRAM)
        (folder / "live").mkdir()
        package = inject.parent if (inject.parent / "stallmeter").is_dir() else inject.parents[1]
        settings = json.dumps({**kind, "work": WORK, "steps": STEPS})
        done = subprocess.run([sys.executable, "train.py", settings, str(FAKE), str(package)], cwd=folder, timeout=60,
                              env={**os.environ, "STALLMETER_LIVE": str(folder / "live"), "PYTHONPATH": str(inject),
                                   "STALLMETER_FAKE_ACCELERATOR": str(library)},
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), ring.Job(folder / "live").main

    return train


def waits_of(process):
    """(asked, delivered, state, elapsed) of each step, in seconds."""
    answers = {mark.args[v.KEY_TASK]: mark.args for mark in process.marks if mark.role == v.DEVICE}
    waits = []
    for span in process.spans:
        if span.role == v.NEXT and v.KEY_TASK in span.args and span.args[v.KEY_LOADER] == 0:
            answer = answers.get(span.args[v.KEY_TASK], {})
            waits.append((span.begin / 1e9, span.end / 1e9, answer.get(v.KEY_DEVICE_STATE), answer.get(v.KEY_ELAPSED_NS, 0) / 1e9))
    return waits


def exposed_as_recorded(waits):
    """The formula of docs/analysis.md: nothing but the marks and the waits."""
    total = 0.0
    for begin, end, state, elapsed in waits[1:]:
        wait = end - begin
        if state is not None:
            total += min(elapsed, wait)
    return total


def exposed_in_truth(waits, launches, busy):
    """From the device's log: its gap since the batch was asked for, less what launching alone would have left of it. What
    the device takes to wake up belongs to neither, so a step's exposed stall ends at its wait."""
    total = 0.0
    for step in range(1, len(launches)):
        asked, delivered = waits[step][:2]
        end_before, begin = busy[step - 1][1], busy[step][0]
        gap = max(0.0, begin - max(end_before, asked))
        launch, backlog = launches[step] - delivered, max(0.0, end_before - asked)
        total += min(max(0.0, gap - max(0.0, launch - backlog)), delivered - asked)
    return total


@pytest.mark.parametrize("kind", KINDS)
def test_exposed_stall_is_within_a_point_of_the_devices_own_log(train, kind):
    told, process = train(KINDS[kind])
    waits = waits_of(process)
    assert len(waits) == STEPS == len(told["busy"])
    assert sum(state is None for *_, state, _ in waits) <= 2, "almost every wait has an answer"
    wall = told["busy"][-1][1] - waits[0][0]
    recorded, truth = exposed_as_recorded(waits) / wall, exposed_in_truth(waits, told["launches"], told["busy"]) / wall
    print(f"{kind}: host wait {sum(w[1] - w[0] for w in waits) / wall:.1%}, exposed {recorded:.2%}, truth {truth:.2%}")
    assert abs(recorded - truth) < 0.01


def test_the_kinds_are_what_they_claim(train):
    """The two that fool a timer: much waiting, little lost."""
    told, process = train(KINDS["data-bound, asynchronous"])
    waits = waits_of(process)
    wall = told["busy"][-1][1] - waits[0][0]
    assert sum(end - begin for begin, end, *_ in waits) / wall > 0.6
    assert exposed_in_truth(waits, told["launches"], told["busy"]) / wall < 0.45
