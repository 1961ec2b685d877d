"""The sixteen metrics of a real training: each there once, with a value that is right or a reason why there is none."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

jsonschema = pytest.importorskip("jsonschema")
pytest.importorskip("torch")
from conftest import ROOT, stallmeter

pytestmark = [pytest.mark.any_torch, pytest.mark.profilers]

SCHEMA = json.loads((ROOT / "docs" / "report-1.schema.json").read_text())
TRAININGS = Path(__file__).parent / "trainings"
FAKE = ROOT / "tests/corpus/accelerator"
SPECIFIED = ["process_memory", "memory_available", "memory_pressure", "memory_allocation",
             "gpu_memory_allocated", "gpu_memory_reserved", "gpu_busy", "gpu_transfer_overhead",
             "cpu_usage", "cpu_frequency", "core_busiest", "process_priority",
             "io_operations", "io_wait", "disk_busy", "network"]


def train(folder: Path, source: str, **variables: str) -> dict:
    """The report of that program, which stands in one folder with the trainings."""
    shutil.copytree(TRAININGS, folder, dirs_exist_ok=True)
    (folder / "job.py").write_text(source)
    stallmeter("run", "-q", "-o", "run", "--", sys.executable, "job.py", cwd=folder, OMP_NUM_THREADS="1", **variables)
    report = json.loads((folder / "run" / "report.json").read_text())
    jsonschema.validate(report, SCHEMA)
    return report


def metrics_of(report: dict) -> dict[str, dict]:
    return {metric["name"]: metric for metric in report["metrics"]}


JOB = """
import os, sys
os.nice(3)
os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
from pieces import Samples, Trainer
from torch.utils.data import DataLoader

class Files(Samples):
    def __getitem__(self, index):
        with open(__file__, "rb", buffering=0) as file:
            for _ in range(50):
                file.seek(0)
                file.read(16)
        return super().__getitem__(index)

if __name__ == "__main__":
    held = bytearray(200 << 20)
    train_loader = DataLoader(Files(240, 0.01), batch_size=4, num_workers=1)
    trainer = Trainer()
    for batch in train_loader:
        trainer.step(batch, 0.002)
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    return train(tmp_path_factory.mktemp("metrics"), JOB)


def test_each_of_the_sixteen_is_there_once_and_first(report):
    assert [metric["name"] for metric in report["metrics"]][:16] == SPECIFIED
    assert len(metrics_of(report)) == len(report["metrics"])


def test_each_has_a_series_or_a_reason(report):
    reasons = ", ".join(row["what"] for row in report["not_measured"]).split(", ")
    for metric in report["metrics"]:
        values = [value for value in metric["series"]["value"] if value is not None]
        if metric["missing"]:
            assert not values and metric["summary"]["mean"] is None and metric["name"] in reasons, metric["name"]
        else:
            assert len(values) > 5 and metric["name"] not in reasons, metric["name"]
            assert min(values) >= metric["summary"]["min"] * 0.999 - 1e-9, metric["name"]
            assert metric["summary"]["min"] <= metric["summary"]["mean"] <= metric["summary"]["max"], metric["name"]


def test_values_are_those_of_the_job(report):
    metrics = metrics_of(report)
    summary = {name: metric["summary"] for name, metric in metrics.items()}
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert 200 << 20 < summary["process_memory"]["max"] < total, "it holds 200 MiB, and torch"
    assert 0 < summary["memory_available"]["min"] < total
    assert summary["memory_allocation"]["max"] > (200 << 20) / 4096 / 10, "200 MiB were touched within some seconds"
    assert 0 < summary["cpu_usage"]["mean"] <= summary["core_busiest"]["mean"] <= 1
    assert summary["process_priority"]["last"] == os.getpriority(os.PRIO_PROCESS, 0) + 3
    assert "batch" in metrics["process_priority"]["detail"]
    assert len(metrics["core_busiest"]["parts"]) == os.cpu_count()
    times = metrics["io_operations"]["series"]["time_s"]
    assert summary["io_operations"]["mean"] * (times[-1] - times[0]) > 0.7 * 240 * 50, "50 reads a sample, and all that Python reads"
    assert all(0 <= time <= report["run"]["wall_s"] + 1 for time in metrics["cpu_usage"]["series"]["time_s"])


def test_without_a_device_its_metrics_say_so(report):
    metrics = metrics_of(report)
    for name in ("gpu_memory_allocated", "gpu_memory_reserved", "gpu_transfer_overhead"):
        assert metrics[name]["missing"], name


WITHOUT_GPU = """
import stallmeter
import on_device

if __name__ == "__main__":
    for name, without in (("off", ["gpu"]), ("on", [])):
        with stallmeter.profile(name, without=without) as run:
            on_device.main()
"""


@pytest.fixture(scope="module")
def on_device(tmp_path_factory):
    if not shutil.which("cc"):
        pytest.skip("no compiler for the fake accelerator")
    sys.path.insert(0, str(FAKE))
    import accelerator

    library = accelerator.build(tmp_path_factory.mktemp("accelerator"))
    path = os.pathsep.join(filter(None, [str(FAKE), os.environ.get("PYTHONPATH", "")]))
    source = (TRAININGS / "on_device.py").read_text().replace("map(float, sys.argv[1:])", "0.006, 0.002")
    return train(tmp_path_factory.mktemp("device"), source, STALLMETER_FAKE_ACCELERATOR=str(library), PYTHONPATH=path)


def test_a_group_that_is_off_is_off_in_the_process_too(tmp_path, tmp_path_factory, on_device):
    """After a part without it, the next part tells again."""
    import accelerator
    import stallmeter as package

    shutil.copytree(TRAININGS, tmp_path, dirs_exist_ok=True)
    (tmp_path / "job.py").write_text(WITHOUT_GPU)
    library = accelerator.build(tmp_path_factory.mktemp("accelerator"))
    clean = {key: value for key, value in os.environ.items() if key != "STALLMETER_LIVE"}
    path = os.pathsep.join(filter(None, [str(FAKE), os.environ.get("PYTHONPATH", "")]))
    subprocess.run([sys.executable, "job.py", "0.004", "0.001"], cwd=tmp_path, check=True, timeout=120,
                   env={**clean, "PYTHONPATH": path, "STALLMETER_FAKE_ACCELERATOR": str(library)})
    off, on = (metrics_of(package.load(tmp_path / name)) for name in ("off", "on"))
    for name in ("gpu_memory_allocated", "gpu_memory_reserved", "gpu_transfer_overhead", "gpu_busy"):
        assert off[name]["missing"] == "switched off"
    assert on["gpu_memory_allocated"]["summary"]["mean"] == 3 << 20


def test_the_allocators_count_is_told_by_the_process(on_device):
    metrics = metrics_of(on_device)
    for name, held in (("gpu_memory_allocated", 3 << 20), ("gpu_memory_reserved", 7 << 20)):
        assert metrics[name]["summary"]["mean"] == held == metrics[name]["summary"]["last"], "both devices together"
        known = [value for value in metrics[name]["series"]["value"] if value is not None]
        assert len(known) > 5
