"""The wheel, and the Python tests with it installed as a user would: never from the source tree."""

from __future__ import annotations

import sys
import tempfile
import threading
from pathlib import Path

from tally import BUILD, ROOT, Tally, call, read_junit

sys.path.insert(0, str(ROOT / "tools"))
import environments

_FOLDER = BUILD / "wheel"
_built: tuple[Path | None, str] | None = None
_building = threading.Lock()
_installed: dict[str, tuple[Path, str]] = {}  # environment -> its interpreter, and what went wrong
_installing = threading.Lock()


def build() -> tuple[Path | None, str]:
    """Builds the wheel once per run with Debian's meson-python. Returns it, or what went wrong."""
    global _built
    with _building:
        if _built is None:
            python = environments.ensure("debian")
            done = call([python, ROOT / "tools" / "make_wheel.py", python, _FOLDER], seconds=900,
                        variables={"PATH": "/usr/bin:/bin:/usr/sbin:/sbin"})
            wheels = sorted(_FOLDER.glob("*.whl"))
            _built = (wheels[0], "") if done.code == 0 and wheels else (None, done.tail())
        return _built


def _install(environment: str) -> tuple[Path, str]:
    wheel, problem = build()
    with _installing:
        if environment not in _installed:
            python = environments.ensure(environment)
            if wheel is None:
                return python, problem
            done = call([python, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", wheel], seconds=300)
            _installed[environment] = python, "" if done.code == 0 else done.tail()
        return _installed[environment]


def run_pytest(environment: str, folder: str, *options: str, seconds: float, needs_wheel: bool = True,
               **variables: str) -> Tally:
    """The tests of a folder under one environment, installed into it once per run."""
    tests = ROOT / "tests" / folder
    if not any(tests.glob("test_*.py")):
        return Tally()
    if needs_wheel:
        python, problem = _install(environment)
        if problem:
            return Tally().fail(f"{folder}/{environment}/install", problem)
    else:
        python = environments.ensure(environment)
    with tempfile.TemporaryDirectory(prefix="stallmeter-test-") as scratch:
        report = Path(scratch) / "report.xml"
        path = f"{python.parent}:/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"
        done = call([python, "-m", "pytest", "-q", "-ra", f"--junitxml={report}", "-p", "no:cacheprovider", *options, tests],
                    seconds=seconds, variables={"PATH": path, "PYTHONDONTWRITEBYTECODE": "1", **variables})
        if not report.exists():
            return Tally().fail(f"{folder}/{environment}", done.tail())
        tally = read_junit(report, f"{folder}/{environment}")
    if tally.failed:
        print(done.tail(120))
    elif done.code not in (0, 5):
        tally.fail(f"{folder}/{environment}", done.tail())
    return tally
