"""Counting test cases, whoever ran them: C programs, pytest, node or golden cases all end in one tally."""

from __future__ import annotations

import os
import re
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

ROOT = Path(__file__).resolve().parent.parent.parent
BUILD = ROOT / "build"

# A skip with one of these reasons means that the machine lacks what CI promises to have.
_FORBIDDEN_SKIP = re.compile(r"could not import|not installed|no torch|no browser|no chromium|no compiler", re.I)


@dataclass
class Tally:
    passed: int = 0
    failed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def fail(self, name: str, why: str = "") -> Tally:
        self.failed.append(f"{name}: {why}" if why else name)
        return self

    def skip(self, name: str, why: str) -> None:
        """In CI nothing may be skipped for the lack of torch, a browser or a compiler."""
        if os.environ.get("CI") and _FORBIDDEN_SKIP.search(why):
            self.fail(name, f"skipped in CI: {why}")
        else:
            self.skipped.append(f"{name}: {why}")


@dataclass
class Finished:
    code: int  # of the command; negative for a signal, 124 when time ran out
    output: str

    def tail(self, lines: int = 30) -> str:
        return "\n".join(self.output.rstrip().splitlines()[-lines:])


def call(command: list[str | Path], *, seconds: float, cwd: Path = ROOT,
         variables: Mapping[str, str] = MappingProxyType({})) -> Finished:
    """Runs a command to its end, or to ours. Its output is kept, its input is empty."""
    environment = {**os.environ, **variables}
    process = subprocess.Popen([str(word) for word in command], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                               start_new_session=True)
    try:
        output, _ = process.communicate(timeout=seconds)
        return Finished(process.returncode, output)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        output, _ = process.communicate()
        return Finished(124, output + f"\n(stopped after {seconds:.0f} s)")


def read_junit(path: Path, prefix: str) -> Tally:
    """The cases of a JUnit file, as cmocka, pytest and many others write it."""
    tally = Tally()
    for case in ElementTree.parse(path).getroot().iter("testcase"):
        name = f"{prefix}/{case.get('name', '?')}"
        skipped = case.find("skipped")
        broken = next((part for part in case if part.tag in ("failure", "error")), None)
        if broken is not None:
            text = (broken.get("message") or broken.text or "").strip()
            tally.fail(name, text.splitlines()[0][:200] if text else "")
        elif skipped is not None:
            tally.skip(name, (skipped.get("message") or skipped.text or "no reason given").strip())
        else:
            tally.passed += 1
    return tally
