"""Builds with meson, and the C test programs in them. Cases are counted, not programs: cmocka tells them apart."""

from __future__ import annotations

import json
import os
import re
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from xml.etree.ElementTree import ParseError

from tally import BUILD, ROOT, Tally, call, read_junit

_SKIPPED = 77

# name -> (compiler, meson options)
_COMMON = ["-Dwerror=true", "-Dbuildtype=debugoptimized", "-Db_ndebug=false"]
BUILDS: dict[str, tuple[str, list[str]]] = {
    "test": ("gcc", [*_COMMON]),
    "asan": ("gcc", [*_COMMON, "-Db_sanitize=address,undefined", "-Dpython=disabled"]),
    # By clang, for gcc's refuses fences; with gcc's macro, by which tests leave out what a sanitizer cannot follow.
    "tsan": ("clang", [*_COMMON, "-Db_sanitize=thread", "-Db_lundef=false", "-Dpython=disabled",
                       "-Dc_args=-D__SANITIZE_THREAD__=1"]),
    "clang": ("clang", ["-Dwerror=true"]),
    "fuzz": ("clang", [*_COMMON, "-Db_sanitize=address,undefined", "-Db_lundef=false", "-Dpython=disabled",
                       "-Dtests=disabled", "-Dfuzz=true"]),
}
_SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=1:detect_leaks=1:strict_string_checks=1",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:second_deadlock_stack=1",
}


def build(name: str) -> tuple[Path, str]:
    """Configures and compiles. Returns the folder, and what went wrong ("" when nothing did)."""
    compiler, options = BUILDS[name]
    folder = BUILD / name
    mark = folder / "options"
    wanted = f"{compiler} {' '.join(options)}"
    if not mark.exists() or mark.read_text() != wanted:
        again = ["--wipe"] if (folder / "build.ninja").exists() else []
        done = call(["meson", "setup", *again, *options, folder, ROOT], seconds=300, variables={"CC": compiler})
        if done.code != 0:
            return folder, done.tail()
        mark.write_text(wanted)
    done = call(["ninja", "-C", folder, "-k", "0", "-j", str(os.cpu_count() or 1)], seconds=1200)
    return folder, "" if done.code == 0 else complaints(done.output) or done.tail()


def complaints(output: str) -> str:
    """What the compilers complain about, each once: the rest of a build's output is commands."""
    return "\n".join(dict.fromkeys(line for line in output.splitlines() if re.match(r"\S+:\d+:\d+: \w* ?error: ", line)))


def _run_program(test: dict, prefix: str) -> Tally:
    name = f"{prefix}/{test['name']}"
    if not Path(test["cmd"][0]).exists():
        return Tally().fail(name, "was not built")
    with tempfile.TemporaryDirectory(prefix="stallmeter-test-") as scratch:
        done = call(test["cmd"], seconds=test["timeout"] * 4, cwd=Path(scratch),
                    variables={"CMOCKA_MESSAGE_OUTPUT": "xml", "CMOCKA_XML_FILE": f"{scratch}/%g.xml", **_SANITIZERS,
                               **test["env"]})
        tally = Tally()
        for report in sorted(Path(scratch).glob("*.xml")):
            try:
                tally.add(read_junit(report, name))
            except ParseError as problem:
                tally.fail(name, f"its report cannot be read: {problem}")
    if done.code == _SKIPPED:
        tally.skip(name, done.tail(1) or "no reason given")
    elif done.code != 0 and not tally.failed:
        tally.fail(name, f"exit {done.code}\n{done.tail()}")
    elif done.code == 0 and not (tally.passed or tally.skipped):
        tally.passed += 1  # a plain program: its exit code is its one case
    return tally


def run_suite(build_name: str, suite: str) -> Tally:
    """All programs that meson knows under `suite`, in the build of that name."""
    folder, problem = build(build_name)
    tally = Tally()
    if problem:
        tally.fail(f"build/{build_name}", problem)
    if not (folder / "meson-info").exists():
        return tally
    tests = json.loads(call(["meson", "introspect", "--tests", folder], seconds=60).output)
    chosen = [test for test in tests if any(word.split(":")[-1] == suite for word in test["suite"])]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for part in pool.map(lambda test: _run_program(test, f"{build_name}"), chosen):
            tally.add(part)
    return tally
