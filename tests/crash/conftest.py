"""The built program, and what every test of `run` wants to know about a run."""

import os
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PROGRAM = Path(os.environ.get("STALLMETER_BUILD", ROOT / "build" / "test")) / "src" / "cli" / "stallmeter"


class Runner:
    """`stallmeter run` in a folder of its own."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = {**os.environ, "TMPDIR": str(folder / "tmp"), "LC_ALL": "C.UTF-8"}
        for name in ("STALLMETER_LIVE", "STALLMETER_LEVEL", "PYTHONPATH"):
            self.environment.pop(name, None)
        (folder / "tmp").mkdir()

    def arguments(self, *command: str, options: tuple[str, ...] = ("-q", "--no-report", "-o", "out")) -> list[str]:
        return [str(PROGRAM), "run", *options, "--", *command]

    def run(self, *command: str, options: tuple[str, ...] = ("-q", "--no-report", "-o", "out"), seconds: float = 30,
            **more) -> subprocess.CompletedProcess:
        more = {"cwd": self.folder, "env": self.environment, "stdin": subprocess.DEVNULL, "capture_output": True, **more}
        return subprocess.run(self.arguments(*command, options=options), timeout=seconds, **more)

    def start(self, *command: str, options: tuple[str, ...] = ("-q", "--no-report", "-o", "out"), **more) -> subprocess.Popen:
        more = {"cwd": self.folder, "env": self.environment, "stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE, **more}
        return subprocess.Popen(self.arguments(*command, options=options), **more)

    def trace(self, name: str = "out") -> bytes:
        return (self.folder / name / "rank0.stall").read_bytes()


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    return Runner(tmp_path)


def is_whole(trace: bytes) -> bool:
    """It ends as docs/format.md says: index and tail."""
    return trace.startswith(b"STALL\r\n") and trace[-32:-24] == b"STALLEND"


def wait_for(condition, seconds: float = 10.0):
    """The first true answer, or a failure."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        answer = condition()
        if answer:
            return answer
        time.sleep(0.02)
    pytest.fail(f"waited {seconds} s in vain")


def status_of(pid: int) -> dict[str, str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def children_of(pid: int) -> list[int]:
    try:
        return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def collector_of(pid: int) -> int | None:
    """The collector's process, once it has begun."""
    for child in children_of(pid):
        if status_of(child).get("Name") == "stallmeter-coll":
            return child
    return None


def job_of(pid: int) -> int | None:
    """The command's process, once it is one."""
    for child in children_of(pid):
        if not status_of(child).get("Name", "stallmeter").startswith("stallmeter"):
            return child
    return None
