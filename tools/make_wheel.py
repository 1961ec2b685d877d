#!/usr/bin/env python3
"""Builds the wheel that is given to others: `tools/make_wheel.py PYTHON FOLDER`.

PYTHON (3.10 or 3.11, with pip, `wheel` and Debian's or any other meson-python) compiles it. Its extension uses the limited
API of 3.10 and says so in its file name, but every version of meson-python marks the wheel itself for the Python that
built it, so the tag is set here.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def make(python: Path, folder: Path) -> Path:
    for old in folder.glob("*.whl"):
        old.unlink()
    subprocess.run([python, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", folder, ROOT], check=True,
                   stdin=subprocess.DEVNULL)
    made = next(folder.glob("*.whl"))
    subprocess.run([python, "-m", "wheel", "tags", "--remove", "--python-tag", "cp310", "--abi-tag", "abi3", made], check=True,
                   stdout=subprocess.DEVNULL)
    return next(folder.glob("*.whl"))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit("usage: tools/make_wheel.py PYTHON FOLDER")
    print(make(Path(sys.argv[1]), Path(sys.argv[2])))
