"""Names say where they live: symbols name their file, files are called alike nowhere, guards are paths."""

import re
import subprocess
from collections import defaultdict

import pytest

import tree

SOURCES = tree.c_files("src")
# Names that every folder has.
COMMON = {"README.md", "meson.build", "__init__.py", "conftest.py", "run.py"}


def exported() -> list[tuple[str, str]]:
    """(file stem, symbol) of everything that leaves its translation unit in the layers' archives."""
    pairs = []
    for archive in sorted(tree.build_folder().glob("src/*/libsm_*.a")):
        out = subprocess.run(["nm", "-g", "--defined-only", archive], check=True, capture_output=True, text=True).stdout
        stem = ""
        for line in out.splitlines():
            member = re.match(r"(?:.*[\[/:])?([a-z0-9_]+)\.c\.o:?", line)
            if member and " " not in line:
                stem = member.group(1)
            elif stem and (words := line.split()):
                pairs.append((stem, words[-1]))
    return pairs


def source_of(stem: str) -> str:
    """meson names an object by its source; those of other folders carry the path as a prefix."""
    known = {path.stem for path in SOURCES}
    return stem if stem in known else max((name for name in known if stem.endswith("_" + name)), key=len, default=stem)


def test_exported_symbols_name_their_file():
    symbols = exported()
    assert symbols, f"no archives in {tree.build_folder()}"
    short = [(prefix, file) for prefix, file, _ in tree.reasons("short_names.txt")]
    wrong = []
    for stem, symbol in symbols:
        if symbol.startswith(("__asan", "__odr_asan", "__sanitizer", "__start_", "__stop_")):
            continue
        file = source_of(stem)
        # A registry entry is the file: `const struct sm_probe sm_probe_cpu` at the end of probe_cpu.c.
        fine = symbol == f"sm_{file}" or symbol.startswith(f"sm_{file}_")
        fine |= any(symbol.startswith(prefix) and file == where for prefix, where in short)
        if not fine:
            wrong.append(f"{file}.c: {symbol}")
    assert not wrong, "\n".join(sorted(set(wrong)))


def test_every_short_name_is_still_used():
    files = {path.stem for path in SOURCES}
    for prefix, file, _ in tree.reasons("short_names.txt"):
        assert file in files, f"{file}.c is gone: strike {prefix} from short_names.txt"


def test_file_names_are_unique():
    places = defaultdict(list)
    for path in tree.tracked():
        name = path.relative_to(tree.ROOT)
        if path.suffix in (".c", ".h", ".py") and path.name not in COMMON:
            places[path.name].append(str(name))
    twice = {name: where for name, where in places.items() if len(where) > 1}
    assert not twice


@pytest.mark.parametrize("path", [path for path in tree.c_files("src", "include") if path.suffix == ".h"],
                         ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_a_guard_is_its_path(path):
    base = tree.SRC if path.is_relative_to(tree.SRC) else tree.ROOT / "include"
    name = re.sub(r"[^A-Z0-9]", "_", str(path.relative_to(base)).upper())
    guard = name if name.startswith("STALLMETER_") else f"SM_{name}"
    assert re.search(rf"^#ifndef {guard}\n#define {guard}$", path.read_text(), re.M), f"no guard {guard}"


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_structs_are_not_hidden_behind_typedefs(path):
    assert not re.search(r"^typedef (struct|union|enum)\b", path.read_text(), re.M)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_goto_goes_to_out(path):
    assert set(re.findall(r"\bgoto (\w+);", tree.without_comments(path.read_text()))) <= {"out"}


@pytest.mark.parametrize("path", [path for path in SOURCES if path.name != "mem.c"],
                         ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_the_heap_has_one_door(path):
    code = tree.without_comments(path.read_text())
    assert not re.findall(r"(?<![\w.>])(malloc|calloc|realloc|strdup|strndup|asprintf|free)\s*\(", code)


@pytest.mark.parametrize("folder", sorted(path.name for path in tree.SRC.iterdir() if path.is_dir()))
def test_a_layer_says_what_it_is(folder):
    readme = tree.SRC / folder / "README.md"
    assert readme.exists(), "no README.md"
    assert len(readme.read_text().splitlines()) <= 10
