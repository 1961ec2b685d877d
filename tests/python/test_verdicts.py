"""Is the verdict right? Trainings in which a timer around next() would be wrong, and commands that are no training at all.

The scripts (trainings/*.py) wait and compute by sleeping, so that what they lose is known, whoever else is on the machine.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")
jsonschema = pytest.importorskip("jsonschema")
from conftest import ROOT, program, stallmeter

OLD = torch.__version__.startswith("1.")
FOLDER = Path(__file__).parent / "trainings"
FAKE = ROOT / "tests/corpus/accelerator"
SCHEMA = json.loads((ROOT / "docs" / "report-1.schema.json").read_text())
BOUND = ("INPUT_BOUND",)
FREE = ("COMPUTE_BOUND", "PARTLY_INPUT_BOUND")


def report_in(folder: Path) -> dict:
    report = json.loads((folder / "run" / "report.json").read_text())
    jsonschema.validate(report, SCHEMA)
    return report


@pytest.fixture(scope="session")
def train(tmp_path_factory) -> Callable[..., tuple[dict, Path]]:
    """train(script, *arguments): the report of that training, and the folder it ran in."""

    def train(script: str, *arguments: object, before: tuple[object, ...] = (sys.executable,), **variables: str) -> tuple[dict, Path]:
        folder = tmp_path_factory.mktemp(Path(script).stem)
        shutil.copytree(FOLDER, folder, dirs_exist_ok=True)
        said = stallmeter("run", "-o", "run", "--", *before, script, *arguments, cwd=folder, OMP_NUM_THREADS="1", **variables).stderr
        (folder / "said").write_text(said)
        return report_in(folder), folder

    return train


def told(report: dict) -> str:
    """What to read when a test fails."""
    loaders = [{key: loader[key] for key in ("name", "batches", "time_s", "wait_s", "exposed_s")} for loader in report["loaders"]]
    findings = [(finding["type"], finding["severity"], finding["where"]) for finding in report["findings"]]
    return "\n".join(map(json.dumps, (report["verdict"], report["steps"], loaders, findings)))


def loaders_of(report: dict) -> dict[str, dict]:
    return {loader["name"]: loader for loader in report["loaders"]}


def blamed(report: dict) -> set[str]:
    """The loaders that a finding of weight is about."""
    return {finding["where"].get("loader") for finding in report["findings"] if (finding["severity"] or 0) >= 0.1} - {None}


# Two loaders in turn.


@pytest.mark.parametrize(("train_s", "val_s", "slow"), [(0, 0, None), (0, 0.02, "val"), (0.02, 0, "train")], ids=["none", "val", "train"])
def test_of_two_loaders_the_slow_one_is_charged(train, train_s, val_s, slow):
    report, _ = train("validation.py", train_s, val_s)
    loaders = loaders_of(report)
    assert {name: loader["batches"] for name, loader in loaders.items()} == {"train": 100, "val": 40}
    for loader in loaders.values():
        assert abs(sum(stage["share"] for stage in loader["stages"]) - 1) < 1e-6
    assert report["verdict"]["class"] in (BOUND if slow else FREE), told(report)
    assert blamed(report) == ({slow} if slow else set()), told(report)
    if slow:
        other = "train" if slow == "val" else "val"
        assert loaders[slow]["exposed_stall_share"] > 0.5 > 2 * loaders[other]["exposed_stall_share"], told(report)
        assert f"loader {slow}" in report["verdict"]["sentence"]


def test_what_a_loader_costs_is_told_of_the_whole_run(train):
    """A validation that does nothing but wait is still but a part of the run."""
    report, _ = train("validation.py", 0, 0.02)
    time_s = sum(loader["time_s"] for loader in report["loaders"])
    exposed_s = sum(loader["exposed_s"] for loader in report["loaders"])
    assert report["verdict"]["exposed_stall_share"] == pytest.approx(exposed_s / time_s, rel=0.05), told(report)
    most = loaders_of(report)["val"]["exposed_s"] / time_s
    assert 0.1 < report["findings"][0]["severity"] < most + 0.05, told(report)


# Waits that are none, and those that are.


@pytest.mark.parametrize("script", ["background.py", "one_ahead.py"])
def test_who_asks_early_is_judged_by_what_training_loses(train, script):
    report, _ = train(script, 0.006, 0.03)
    assert report["verdict"]["class"] in FREE, told(report)
    assert not blamed(report), told(report)
    report, _ = train(script, 0.04, 0.01)
    assert report["verdict"]["class"] in BOUND, told(report)
    # Of each period of 40 ms, 10 are the step's; a wait is counted once.
    assert 0.5 < report["verdict"]["exposed_stall_share"] < 0.8, told(report)


def test_a_background_thread_hides_what_it_waits_for(train):
    report, _ = train("background.py", 0.006, 0.03)
    (loader,) = report["loaders"]
    assert report["steps"]["count"] == 120 == loader["batches"]
    assert loader["wait_s"] > 120 * 0.005 > 5 * loader["exposed_s"], told(report)
    assert report["verdict"]["hidden_wait_share"] > 0.1, told(report)


def test_reading_one_batch_ahead_doubles_nothing(train):
    report, _ = train("one_ahead.py", 0.04, 0.01)
    (loader,) = report["loaders"]
    assert report["steps"]["count"] == 100 == loader["batches"], told(report)
    assert loader["exposed_s"] <= loader["wait_s"] <= loader["time_s"], told(report)
    assert loader["time_s"] >= 100 * 0.04, told(report)


@pytest.mark.skipif(OLD or not importlib.util.find_spec("accelerate"),
                    reason="accelerate wants a newer PyTorch than this" if OLD else "accelerate is not installed")
def test_the_loader_of_accelerate(train):
    report, _ = train("accelerated.py", 0.04, 0.01)
    (loader,) = report["loaders"]
    assert report["steps"]["count"] == 100 == loader["batches"], told(report)
    assert report["verdict"]["class"] in BOUND, told(report)
    assert 0.5 < report["verdict"]["exposed_stall_share"] < 0.8, told(report)


@pytest.fixture(scope="session")
def on_device(train, tmp_path_factory):
    if not shutil.which("cc"):
        pytest.skip("no compiler for the fake accelerator")
    sys.path.insert(0, str(FAKE))
    import accelerator

    library = accelerator.build(tmp_path_factory.mktemp("accelerator"))
    path = os.pathsep.join(filter(None, [str(FAKE), os.environ.get("PYTHONPATH", "")]))

    def on_device(batch_s: float, step_s: float) -> dict:
        return train("on_device.py", batch_s, step_s, STALLMETER_FAKE_ACCELERATOR=str(library), PYTHONPATH=path)[0]

    return on_device


def test_a_wait_that_the_device_does_not_feel_is_hidden(on_device):
    """The host waits nearly all of its time, while the device has work queued."""
    report = on_device(0.006, 0.02)
    (loader,) = report["loaders"]
    assert loader["wait_s"] > 0.5 * loader["time_s"], told(report)
    assert report["verdict"]["hidden_wait_share"] > 0.5, told(report)
    assert report["verdict"]["class"] in FREE, told(report)
    assert not blamed(report), told(report)


def test_a_wait_that_the_device_feels_is_exposed(on_device):
    report = on_device(0.02, 0.01)
    assert report["verdict"]["class"] in BOUND, told(report)
    # Of each period of 20 ms, the device works for 10.
    assert 0.4 < report["verdict"]["exposed_stall_share"] < 0.65, told(report)


# Nothing to judge.

NO_TORCH = "import sys; print('worked'); sys.exit(int(sys.argv[1]))"
COMMANDS = {
    "true": (["true"], 0),
    "false": (["false"], 1),
    "shell": (["sh", "-c", 'echo worked; "$0" -c pass; exit 3', sys.executable], 3),
    "no torch": ([sys.executable, "-c", NO_TORCH, "0"], 0),
    "no torch, fails": ([sys.executable, "-c", NO_TORCH, "7"], 7),
    "killed": (["sh", "-c", "kill -TERM $$"], 143),
    "no training": ([sys.executable, "-c", "import torch; print('worked')"], 0),
}


@pytest.mark.parametrize("name", COMMANDS)
def test_what_is_no_training_is_run_and_not_judged(name, tmp_path):
    command, code = COMMANDS[name]
    done = stallmeter("run", "-o", "run", "--", *command, cwd=tmp_path, code=code)
    bare = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == bare.stdout
    assert "Traceback" not in done.stderr
    report = report_in(tmp_path)
    cannot_tell(report, "DataLoader", "stallmeter run -- python")
    nothing_is_claimed_of_a_moment(report, done.stderr)


def nothing_is_claimed_of_a_moment(report: dict, said: str) -> None:
    """A rule that had nothing to look at has not passed, and a share of a few milliseconds is no figure."""
    overhead = report["run"]["overhead"]
    reasons = {row["what"]: row["why"] for row in report["not_measured"]}
    assert reasons["SM701"] == "no loader was iterated" and "SM701" not in report["passed"]
    assert overhead["cpu_s"] > 0
    if overhead["cpu_share"] is None:
        assert "less than a second" in reasons["overhead share"] and "SM703" not in report["passed"]
        assert "of one core" not in said
    else:
        assert report["run"]["wall_s"] > 0.5 and overhead["cpu_share"] < 0.5


def cannot_tell(report: dict, *words: str) -> None:
    """Says what is missing, and how to get it, in whole sentences."""
    verdict = report["verdict"]
    assert verdict["class"] == "CANNOT_TELL", told(report)
    assert len(verdict["missing"].split()) > 8 and verdict["missing"].endswith("."), verdict
    assert all(word in verdict["missing"] for word in words), verdict
    assert not blamed(report), told(report)


def test_three_steps_are_not_enough(train):
    report, folder = train("short.py", 3)
    assert report["steps"]["count"] == 3
    cannot_tell(report, "3 steps", "20")
    said = (folder / "said").read_text()
    assert "CANNOT TELL" in said and "Traceback" not in said


def test_a_training_that_fails_is_judged_by_what_it_did(train, tmp_path):
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    command = f'{sys.executable} short.py 30; exit 5'
    done = stallmeter("run", "-o", "run", "--", "sh", "-c", command, cwd=tmp_path, code=5)
    assert report_in(tmp_path)["steps"]["count"] == 30
    assert "Traceback" not in done.stderr


# However it is started.


def test_a_module_of_a_package(tmp_path):
    shutil.copytree(FOLDER, tmp_path / "package")
    (tmp_path / "package" / "__init__.py").touch()
    stallmeter("run", "-o", "run", "--", sys.executable, "-m", "package.short", 30, cwd=tmp_path,
               PYTHONPATH=os.pathsep.join(filter(None, [str(tmp_path / "package"), os.environ.get("PYTHONPATH", "")])))
    assert report_in(tmp_path)["steps"]["count"] == 30


def test_a_shell_script_around_it(train, tmp_path):
    wrapper = tmp_path / "wrapper.sh"
    wrapper.write_text('#!/bin/sh\ncd . && exec "$@"\n')
    wrapper.chmod(0o755)
    report, _ = train("short.py", 30, before=(wrapper, sys.executable))
    assert report["steps"]["count"] == 30


@pytest.mark.skipif(not shutil.which("uv"), reason="uv is not installed")
def test_uv(train):
    report, _ = train("short.py", 30, before=("uv", "run", "--no-project", "--python", sys.executable, "python"))
    assert report["steps"]["count"] == 30


def test_a_run_in_a_run_is_one_run(train):
    report, folder = train("short.py", 30, before=(program(), "run", "-o", "inner", "--", sys.executable))
    inner = folder / "inner" / "report.json"
    counts = [report["steps"]["count"]] + ([json.loads(inner.read_text())["steps"]["count"]] if inner.exists() else [])
    assert max(counts) == 30 and set(counts) <= {0, 30}, counts


@pytest.mark.skipif(OLD or not importlib.util.find_spec("torch.distributed.run"),
                    reason="the torchrun of torch 1.13 starts nothing on Python 3.11: its Std.NONE is None there")
def test_two_ranks_are_not_added_up(train):
    """Each stands still for a fifth to a third of its time: so does the run."""
    report, folder = train("ranks.py", 0.008, 0.024, before=(sys.executable, "-m", "torch.distributed.run", "--nproc_per_node=2"))
    assert {path.name for path in (folder / "run").iterdir()} >= {"rank0.stall", "rank1.stall", "report.html"}
    shares = [loader["exposed_stall_share"] for loader in report["loaders"]]
    assert report["run"]["ranks"] == 2 == len(shares), told(report)
    assert min(shares) - 0.05 <= report["verdict"]["exposed_stall_share"] <= max(shares), told(report)


# Names of the user's own.


def test_data_loading_around_everything_is_not_waiting(train):
    report, _ = train("named.py")
    assert report["verdict"]["class"] in FREE, told(report)
    assert report["verdict"]["exposed_stall_share"] < 0.1, told(report)
    operations = {row["name"]: row for row in report["operations"]}
    for epoch in range(2):
        around = operations[f"epoch_{epoch}_data_loading"]
        assert around["type"] == "data_loading" and around["count"] == 1
        assert around["inclusive_s"] > 1, around  # 100 steps of 10 ms
        assert around["self_s"] < 0.05 * around["inclusive_s"], around
    inference = operations["model_inference"]
    assert inference["count"] == 200 and inference["inclusive_s"] > 2, inference


# Said again.


def test_the_verdict_rebuilt_is_the_same_bytes(train):
    _, folder = train("short.py", 30)
    for form in ("--json", "--html", "--md"):
        texts = {stallmeter("report", run, form, "-", cwd=folder).stdout for run in ("run", "run/", "run/rank0.stall", folder / "run") * 2}
        assert len(texts) == 1 and len(texts.pop()) > 500, form
