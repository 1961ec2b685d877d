"""Jobs as users run them: a script in a process of its own, with or without us in front of its import path."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
import ring

ROOT = Path(__file__).resolve().parents[2]
SECONDS = 240


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "any_torch: hardly about PyTorch itself: by day with the newest alone, at night with all")
    config.addinivalue_line("markers", "profilers: what the package measures by itself; a suite of its own")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if os.environ.get("STALLMETER_SECOND_TORCH") and not os.environ.get("STALLMETER_NIGHTLY"):
        left = [item for item in items if item.get_closest_marker("any_torch")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if item not in left]


def inject_folder() -> Path:
    """Of the installed package, or of the build tree whose package this is."""
    import stallmeter

    return Path(stallmeter._inject_folder())


def program() -> str:
    """The command: of the installed package, or the one that STALLMETER_PROGRAM names."""
    beside = Path(sys.executable).with_name("stallmeter")
    found = os.environ.get("STALLMETER_PROGRAM") or (str(beside) if beside.exists() else shutil.which("stallmeter"))
    if not found:
        pytest.skip("stallmeter is not installed")
    return found


def stallmeter(*arguments: object, code: int = 0, cwd: Path | None = None,
               **variables: str) -> subprocess.CompletedProcess[str]:
    """What the command says, and that it ends as promised."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("STALLMETER", "COLUMNS"))} | variables
    done = subprocess.run([program(), *map(str, arguments)], env=environment, stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=SECONDS, cwd=cwd)
    assert done.returncode == code, done.stderr[-3000:]
    return done


@dataclass
class Done:
    code: int
    out: str
    err: str
    job: ring.Job | None


@pytest.fixture(scope="session")
def inject() -> Path:
    return inject_folder()


@pytest.fixture
def run(tmp_path, inject):
    """run(source, *arguments, observed=True, python=..., **environment): the script's output, and what was recorded."""

    def run(source, *arguments, observed=True, python=sys.executable, name="train.py", options=(), expect=0, **environment):
        script = tmp_path / name
        script.write_text(source)
        live = tmp_path / f"live{len(list(tmp_path.glob('live*')))}"
        live.mkdir()
        variables = {key: value for key, value in os.environ.items()
                     if not key.startswith("STALLMETER") and key not in ("PYTHONPATH", "RANK")}
        variables |= {"OMP_NUM_THREADS": "1", **environment}
        if observed:
            behind = [variables["PYTHONPATH"]] if variables.get("PYTHONPATH") else []
            variables |= {"STALLMETER_LIVE": str(live), "PYTHONPATH": os.pathsep.join([str(inject), *behind])}
        done = subprocess.run([python, *options, str(script), *map(str, arguments)], cwd=tmp_path, env=variables,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
        assert expect is None or done.returncode == expect, done.stderr[-3000:]
        return Done(done.returncode, done.stdout, done.stderr, ring.Job(live) if observed else None)

    return run


def other_interpreters() -> list[str]:
    """Pythons of other versions on this machine, with or without torch."""
    found = sorted(Path.home().glob(".pyenv/versions/3.1[0-9].*/bin/python"))
    return [str(path) for path in found]
