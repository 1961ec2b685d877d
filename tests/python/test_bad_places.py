"""Trainings in places that lack what a desk has: a container's /dev/shm of 64 MiB, no pressure files, no control groups."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
from conftest import program

pytestmark = pytest.mark.any_torch

FOLDER = Path(__file__).parent / "trainings"
SMALL_SHM = "mount -t tmpfs -o size=64m none /dev/shm"
BARE = f"{SMALL_SHM}; mount -t tmpfs none /proc/pressure; mount -t tmpfs none /sys/fs/cgroup"


def may_mount(script: str) -> bool:
    return subprocess.run(["unshare", "--mount", "--map-root-user", "sh", "-eu", "-c", script], capture_output=True).returncode == 0


@pytest.fixture
def place(tmp_path):
    """place(mounts, bytes): what the same training prints without us and with us there, and its report."""
    if not may_mount(BARE):
        pytest.skip("nothing can be mounted here")
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)

    def place(mounts: str, size: int) -> tuple[list[str], list[str], dict]:
        training = f"{sys.executable} big_batches.py {size}"
        script = f"""{mounts}; cd {tmp_path}; {training} >without 2>/dev/null; echo code=$? >>without; rm -f /dev/shm/*
            {program()} run -q -o run -- {training} >with 2>/dev/null; echo code=$? >>with; ls /dev/shm >left"""
        done = subprocess.run(["unshare", "--mount", "--map-root-user", "sh", "-c", script], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        assert "ring" not in (tmp_path / "left").read_text(), "nothing of ours lives in the job's memory"
        without, with_us = ((tmp_path / name).read_text().splitlines() for name in ("without", "with"))
        return without, with_us, json.loads((tmp_path / "run" / "report.json").read_text())

    return place


def test_a_small_shm_is_a_risk_and_said_to_be(place):
    without, with_us, report = place(SMALL_SHM, 3_000_000)
    assert without == with_us == ["trained", "code=0"]
    assert report["host"]["shm_bytes"] == 64 << 20
    (risk,) = [finding for finding in report["findings"] if finding["type"] == "SHARED_MEMORY_LIMIT"]
    assert risk["severity"] is None and risk["risk"]


def test_a_small_shm_with_room_is_no_risk(place):
    _, _, report = place(SMALL_SHM, 30_000)
    assert not [finding for finding in report["findings"] if finding["type"] == "SHARED_MEMORY_LIMIT"]


def test_a_training_that_finds_no_room_fails_as_without_us(place):
    without, with_us, report = place(SMALL_SHM, 40_000_000)
    assert without == with_us and without != ["trained", "code=0"]
    assert report["verdict"]["class"] == "CANNOT_TELL"


def test_without_pressure_and_control_groups_the_rest_is_measured(place):
    without, with_us, report = place(BARE, 30_000)
    assert without == with_us == ["trained", "code=0"]
    missing = {entry["what"]: entry["why"] for entry in report["not_measured"]}
    assert {"pressure", "cgroup_cpu", "cgroup_memory"} <= set(missing)
    assert all(missing.values())
    assert report["steps"]["count"] == 40 and report["verdict"]["class"] != "CANNOT_TELL"
