#!/usr/bin/env python3
"""Virtual environments of the checkout, made once and kept: `tools/environments.py NAME` prints the interpreter of `.venv-NAME`.

    torch   the newest PyTorch we test, as a user installs it: pip, CPU build, the photographs of scikit-image, and albumentations
    debian  the oldest: Debian's own torch through the system's packages
    tools   linters, and psutil to be measured against

A recipe that changes makes its environment anew. Where pip has no wheel of that PyTorch for any interpreter
here, `torch` falls back on Debian's python3-torch and says so.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PHOTOS = ["pillow", "scikit-image", "scikit-learn"]
TESTS = ["pytest", "jsonschema", "wheel>=0.40", "cloudpickle", "uv"]

# name -> (interpreters to try, first that works; pip packages; sees the system's packages)
RECIPES = {
    "torch": (["python3.11", "python3.12", "python3.13", "python3.10", "python3"],
              ["torch==2.13.0", "numpy", "accelerate", "albumentations", "opencv-python-headless", *PHOTOS, *TESTS], False),
    "torch-of-debian": (["/usr/bin/python3"], ["numpy<2", *PHOTOS, *TESTS], True),
    "debian": (["/usr/bin/python3"], TESTS, True),
    "tools": (["python3.11", "python3"], ["ruff", "mypy", "psutil"], False),
}
FALLBACKS = {"torch": "torch-of-debian"}


def say(text: str) -> None:
    print("environments:", text, file=sys.stderr, flush=True)


def recipe_mark(name: str) -> str:
    """What the environment was made from; another text means it is stale."""
    return hashlib.sha256(repr(RECIPES[name]).encode()).hexdigest()


def make(name: str, interpreter: str) -> bool:
    folder = ROOT / f".venv-{name}"
    _, packages, sees_system = RECIPES[name]
    shutil.rmtree(folder, ignore_errors=True)
    say(f"making .venv-{name} from {interpreter}: {' '.join(packages)}")
    options = ["--system-site-packages"] if sees_system else []
    # Build paths and variables of another environment must not leak into this one.
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    commands = ([interpreter, "-m", "venv", *options, str(folder)],
                [str(folder / "bin/python"), "-m", "pip", "install", "-qq", "--disable-pip-version-check", *packages])
    for command in commands:
        done = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, stdout=sys.stderr)
        if done.returncode != 0:
            shutil.rmtree(folder, ignore_errors=True)
            return False
    (folder / "recipe").write_text(recipe_mark(name))
    return True


def is_fresh(name: str) -> bool:
    folder = ROOT / f".venv-{name}"
    mark = folder / "recipe"
    return mark.exists() and mark.read_text() == recipe_mark(name) and (folder / "bin/python").exists()


def ensure(name: str) -> Path:
    """The interpreter of the environment, made first if need be. Raises SystemExit where none can be made."""
    python = ROOT / f".venv-{name}" / "bin/python"
    if is_fresh(name):
        return python
    for interpreter in filter(None, map(shutil.which, RECIPES[name][0])):
        if make(name, interpreter):
            return python
    if name in FALLBACKS:
        say(f"no interpreter here can have {RECIPES[name][1][0]}; falling back on {FALLBACKS[name]}")
        return ensure(FALLBACKS[name])
    raise SystemExit(f"environments: could not make .venv-{name} with any of: {', '.join(RECIPES[name][0])}")


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in RECIPES:
        raise SystemExit(f"usage: tools/environments.py {'|'.join(RECIPES)}")
    print(ensure(sys.argv[1]))
