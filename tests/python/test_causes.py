"""Is the diagnosis right? One training, in which one part at a time is made slow, under `stallmeter run`.

The script, its classes and its transforms keep their names; only what a part does changes (causes/<part>.py, copied beside
it as parts.py). The first finding must name that part, for that reason.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import program

pytestmark = pytest.mark.any_torch

pytest.importorskip("torch")
FOLDER = Path(__file__).parent / "causes"
NIGHTLY = bool(os.environ.get("STALLMETER_NIGHTLY"))


@dataclass
class Case:
    part: str
    type: str
    causes: tuple[str, ...] = ("",)
    name: str | None = None  # in `where`
    place: int = 1  # among the first so many: a transform that takes no time gives back at least what a setting does
    gain: float = 0  # that the first suggestion predicts, at least
    nightly: bool = False


STEP = "PREPROCESSING_BOTTLENECK"
CASES = [
    Case("native", STEP, ("CPU_INTENSIVE",), "Step"),
    Case("python", STEP, ("CPU_INTENSIVE", "VECTORIZATION_INEFFICIENT"), "Step"),
    Case("sleep", STEP, ("I_O_BOUND",), "Step"),
    Case("read", STEP, ("I_O_BOUND",), "Step"),
    Case("helper", STEP, ("CPU_INTENSIVE",), "Step"),
    Case("lock", "LOCK_CONTENTION", ("",), "Step"),
    Case("fetch_read", "SLOW_DISK_IO", ("cold_cache", "small_files", "cache_thrash"), "Pictures"),
    Case("fetch_sleep", STEP, ("I_O_BOUND",), "Pictures"),
    Case("sampler_slow", "SAMPLER_OVERHEAD", name="Draw", nightly=True),
    Case("collate_slow", "COLLATE_FUNCTION_SLOW", name="collate"),
    Case("sometimes", "SLOW_SAMPLES"),
    Case("uneven", "SHALLOW_PREFETCH", place=2, gain=1.1, nightly=True),
    Case("epochs", "WORKER_STARTUP", ("respawned_each_epoch",)),
    Case("objects", "WORKER_TRANSPORT", ("pickled_objects",)),
    Case("crowd", "CPU_OVERSUBSCRIPTION", ("too_many_workers",)),
    Case("one_worker", "INSUFFICIENT_WORKERS", ("too_few_workers",), place=2, gain=1.1),
    Case("no_workers", "INSUFFICIENT_WORKERS", ("no_workers",), place=2, gain=1.1, nightly=True),
    Case("loop", "HOST_LOOP_OVERHEAD"),
]


def report_of(part: str, folder: Path, before: list[str] | None = None) -> dict:
    """Runs the training with this part, perhaps behind another command, and returns its report."""
    for name, source in (("train.py", "train.py"), ("plain.py", "plain.py"), ("parts.py", f"{part}.py")):
        shutil.copy(FOLDER / source, folder / name)
    shutil.copy(FOLDER / "read.py", folder / "read.py")
    done = subprocess.run([*(before or []), program(), "run", "-o", "run", "--", sys.executable, "train.py"], cwd=folder, capture_output=True,
                          text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads((folder / "run" / "report.json").read_text())


def told(report: dict) -> str:
    """What to read when a case fails."""
    lines = [json.dumps(report["verdict"])]
    lines += [json.dumps({key: finding[key] for key in ("type", "cause", "cause_detail", "severity", "where", "evidence")})
              for finding in report["findings"]]
    return "\n".join(lines)


def is_crowded(report: dict) -> bool:
    """Whether other programs took the CPUs: then the job's own crowd cannot be told from theirs, and is not claimed."""
    return any(row["what"] == "SM301" and "other programs" in row["why"] for row in report["not_measured"])


@pytest.mark.parametrize("case", [case for case in CASES if NIGHTLY or not case.nightly], ids=lambda case: case.part)
def test_the_first_finding_names_the_part(case: Case, tmp_path: Path):
    report = report_of(case.part, tmp_path)
    if case.part == "crowd" and is_crowded(report):
        pytest.skip("other programs keep the CPUs of this machine busy")
    first = next((finding for finding in report["findings"][: case.place] if finding["type"] == case.type), None)
    assert first, told(report)
    assert first["cause"] in case.causes, told(report)
    assert first["severity"] >= 0.05, told(report)
    if case.name is not None:
        assert first["where"]["name"] == case.name, told(report)
        assert first["where"]["file"] in ("parts.py", "plain.py", "train.py") and first["where"]["line"] > 0, told(report)
    if case.gain:
        assert first["suggestions"][0]["predicted_speedup"][1] >= case.gain, told(report)


def test_nothing_is_found_where_nothing_is_wrong(tmp_path: Path):
    report = report_of("balanced", tmp_path)
    large = [finding for finding in report["findings"] if (finding["severity"] or 0) >= 0.05]
    assert not large, told(report)
    assert report["verdict"]["class"] in ("COMPUTE_BOUND", "PARTLY_INPUT_BOUND", "CANNOT_TELL"), told(report)
    assert "SM105" in report["passed"] + [finding["id"] for finding in report["findings"]], told(report)


QUOTA = Path("/sys/fs/cgroup/cpu")  # version 1, where this machine has it


@pytest.fixture
def half_a_core():
    """A control group of half a core; the command that puts what follows into it."""
    group = QUOTA / "stallmeter-test"
    group.mkdir()
    (group / "cpu.cfs_quota_us").write_text("50000")
    (group / "cpu.shares").write_text("100000")  # so that it is the quota that stops it, not who else is here
    yield ["sh", "-c", f'echo $$ > {group}/tasks; exec "$@"', "sh"]
    group.rmdir()


@pytest.mark.skipif(not (NIGHTLY and os.access(QUOTA / "cpu.shares", os.W_OK)), reason="at night, as root, with control groups")
def test_a_quota_is_told_from_a_slow_transform(tmp_path: Path, half_a_core: list[str]):
    report = report_of("native", tmp_path, half_a_core)
    assert report["findings"][0]["type"] == "CPU_THROTTLED", told(report)
