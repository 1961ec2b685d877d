"""Copies to a device: a finding where the device waits for them, none where queued work covers them.

The device is the corpus' fake one, and the copies are recorded as the adapter records torch's. From pageable memory, or without
non_blocking, the host is inside the copy until the device has done all before and the copy itself, as CUDA has it.
"""

import json
import os
import subprocess
import sys

import pytest
from conftest import ROOT, program

pytestmark = pytest.mark.profilers

FAKE = ROOT / "tests/corpus/accelerator"

PROGRAM = '''
import json, sys
sys.path[:0] = sys.argv[2:]
kind = json.loads(sys.argv[1])
import fake_device, stallmeter, accelerator

with stallmeter.profile("run") as run:
    from _stallmeter import device, record, vocabulary as v
    fake_device.register()
    copy = record.span_role(v.H2D, "h2d")
    stream = fake_device.Stream(ahead=4)
    for batch in stallmeter.wrap([[0] * 8] * 100, name="train"):
        device.first_use()
        device.copy_begins()
        with copy:
            record.args(v.KEY_BYTES, kind["bytes"], v.KEY_FLAGS, kind["flags"])
            accelerator.copy(kind["bytes"])
            accelerator.synchronize()
        device.copy_ends()
        stream.step(kind["work"])
    accelerator.synchronize()
report = run.report
print(json.dumps({"findings": report.to_json() and json.loads(report.to_json())["findings"], "passed": report["passed"]}))
'''


@pytest.fixture(scope="module")
def train(tmp_path_factory):
    program()
    sys.path.insert(0, str(FAKE))
    import accelerator

    library = accelerator.build(tmp_path_factory.mktemp("accelerator"))

    def train(**kind):
        folder = tmp_path_factory.mktemp("transfer")
        (folder / "train.py").write_text(PROGRAM)
        done = subprocess.run([sys.executable, "train.py", json.dumps(kind), str(FAKE)], cwd=folder, timeout=90,
                              env={**os.environ, "STALLMETER_FAKE_ACCELERATOR": str(library)}, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return train


LARGE = 60_000_000  # 6 ms of the fake device's time


def of_transfer(found):
    (finding,) = [finding for finding in found["findings"] if finding["type"] == "GPU_TRANSFER_OVERHEAD"]
    return finding, {item["metric"]: item["value"] for item in finding["evidence"]}


def test_a_copy_that_the_training_waits_for(train):
    """The device copies 6 ms a step and works 3 ms: without the copy a step takes a third."""
    finding, evidence = of_transfer(train(flags=1, bytes=LARGE, work=0.003))
    assert finding["cause"] == "pageable_copy"
    assert 0.5 < finding["severity"] < 0.85
    assert evidence["copy_bytes"] == LARGE and evidence["pageable_share"] == 1
    assert 0.006 <= evidence["device_copy_s"] < 0.015, "and as long as the host takes to wake up"
    assert finding["suggestions"][0]["change"] == {"pin_memory": 1}


def test_a_blocking_copy_from_pinned_memory(train):
    finding, _ = of_transfer(train(flags=0, bytes=LARGE, work=0.003))
    assert finding["cause"] == "blocking_copy"
    assert "non_blocking=True" in finding["suggestions"][0]["text"] and finding["suggestions"][0]["change"] == {}


def test_a_host_that_waits_for_the_device_inside_a_short_copy_is_hardly_one(train):
    """The host is in the copy for nearly all of each step, and a timer around it would blame it for that. The device says 10 us,
    and as long as a busy machine takes to wake the host up behind it."""
    found = train(flags=1, bytes=100_000, work=0.030)
    severities = [finding["severity"] for finding in found["findings"] if finding["type"] == "GPU_TRANSFER_OVERHEAD"]
    assert all(severity < 0.25 for severity in severities) and (severities or "SM104" in found["passed"])
