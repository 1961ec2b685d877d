#!/usr/bin/env python3
"""Everything a machine can say about the text of the code; the last line is `N passed, N failed`.

clang-format, warnings of gcc and clang as errors, clang-tidy, ruff and mypy. `tools/lint.py CHECK...` runs some.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tests" / "suites"), str(ROOT / "tools")]

import environments
import programs
from tally import call


def tracked(*suffixes: str) -> list[str]:
    out = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [name for name in out.splitlines() if name.endswith(suffixes)]


def clang_format() -> str:
    return call(["clang-format", "--dry-run", "--Werror", *tracked(".c", ".h")], seconds=300).output


def gcc_warnings() -> str:
    return programs.build("test")[1]


def clang_warnings() -> str:
    return programs.build("clang")[1]


def clang_tidy() -> str:
    folder, problem = programs.build("clang")  # whose flags it understands
    if problem:
        return problem
    commands = json.loads((folder / "compile_commands.json").read_text())
    sources = sorted({os.path.normpath(os.path.join(row["directory"], row["file"])) for row in commands})
    # Tests are read by the compilers; their frames of cmocka and long tables are not worth an analyser's time.
    sources = [path for path in sources if path.startswith(str(ROOT)) and "/tests/" not in path]

    def check(source: str) -> str:
        done = call(["clang-tidy", "--quiet", "-p", folder, source], seconds=600)
        return done.output if done.code != 0 else ""

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return "".join(pool.map(check, sources))


def ruff() -> str:
    python = environments.ensure("tools")
    done = call([python.parent / "ruff", "check", "--quiet", "."], seconds=120)
    return "" if done.code == 0 else done.output


def mypy() -> str:
    python = environments.ensure("tools")
    done = call([python.parent / "mypy", "--no-error-summary"], seconds=300)
    return "" if done.code == 0 else done.output


CHECKS: dict[str, Callable[[], str]] = {
    "clang-format": clang_format, "gcc": gcc_warnings, "clang": clang_warnings, "ruff": ruff, "mypy": mypy,
    "clang-tidy": clang_tidy,
}


def main() -> int:
    failed = 0
    names = sys.argv[1:] or list(CHECKS)
    for name in names:
        said = CHECKS[name]()
        print(f"{'FAILED' if said else 'fine  '} {name}", flush=True)
        if said:
            failed += 1
            print(said, flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    raise SystemExit(main())
