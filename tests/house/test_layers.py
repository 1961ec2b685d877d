"""Includes follow the table of ARCHITECTURE.md, and nobody does what only the command line may do."""

import re
from pathlib import Path

import pytest

import tree


def allowed() -> dict[str, set[str]]:
    """The table of layers: row may include column."""
    lines = (tree.ROOT / "ARCHITECTURE.md").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("| may include |"))
    cells = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines[start:] if line.startswith("|")]
    columns = cells[0][1:]
    table = {}
    for row in cells[2:]:
        if len(row) != len(cells[0]):
            break
        table[row[0]] = {column for column, mark in zip(columns, row[1:], strict=True) if mark == "x"} | {row[0]}
    return table


LAYERS = allowed()
SOURCES = tree.c_files("src")


def layer_of(path: Path) -> str:
    return path.relative_to(tree.SRC).parts[0]


def test_every_layer_has_its_row():
    folders = {path.name for path in tree.SRC.iterdir() if path.is_dir()}
    assert folders <= set(LAYERS), "a folder of src/ that ARCHITECTURE.md does not know"
    assert len(LAYERS) >= 10


def test_the_table_has_no_cycle():
    done: list[str] = []
    while len(done) < len(LAYERS):
        free = [name for name in LAYERS if name not in done and LAYERS[name] - {name} <= set(done)]
        assert free, f"a cycle among {sorted(set(LAYERS) - set(done))}"
        done += free


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_includes_look_downward(path):
    may = LAYERS[layer_of(path)]
    for name in tree.includes(path):
        layer, _, rest = name.partition("/")
        if rest and layer != "stallmeter":
            assert layer in may or layer not in LAYERS, f"includes {name}, which {layer_of(path)} may not"


def test_no_header_includes_itself_in_a_circle():
    edges = {f"{layer_of(path)}/{path.name}": tree.includes(path) for path in SOURCES if path.suffix == ".h"}
    for start in edges:
        seen, waiting = set(), list(edges[start])
        while waiting:
            name = waiting.pop()
            assert name != start, f"{start} includes itself"
            if name in edges and name not in seen:
                seen.add(name)
                waiting += edges[name]


ONLY_CLI = re.compile(r"\b(?:(printf|puts|putchar|perror|exit|_exit|abort|getenv|secure_getenv|setenv)\s*\(|"
                      r"(stdout|stderr|environ)\b)")
NEVER_RECORDED = re.compile(r"\b(pthread_create|fork|vfork|clone|system|popen)\s*\(")


@pytest.mark.parametrize("path", [path for path in SOURCES if layer_of(path) not in ("cli", "live")],
                         ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_only_the_command_line_speaks_exits_and_asks(path):
    excused = {(file, word) for file, word, _ in tree.reasons("absences.txt")}
    name = str(path.relative_to(tree.SRC))
    words = {call or word for call, word in ONLY_CLI.findall(tree.without_comments(path.read_text()))}
    assert not {word for word in words if (name, word) not in excused}


def test_every_excuse_is_still_needed():
    for file, word, _ in tree.reasons("absences.txt"):
        text = tree.without_comments((tree.SRC / file).read_text())
        assert re.search(rf"\b{word}\b", text), f"{file} no longer uses {word}: strike it from absences.txt"


@pytest.mark.parametrize("path", [path for path in SOURCES if layer_of(path) in ("record", "ring")],
                         ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_the_recorder_starts_nothing(path):
    assert not NEVER_RECORDED.findall(tree.without_comments(path.read_text()))


@pytest.mark.parametrize("path", tree.c_files("src", "python", "include", "bench", "examples", "tests"),
                         ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_python_h_stays_in_its_corner(path):
    name = path.relative_to(tree.ROOT)
    text = path.read_text()
    if name.parts[:2] == ("python", "ext"):
        for included in tree.includes(path):
            assert "/" not in included or included.startswith("stallmeter/"), f"{included} is not for outsiders"
    else:
        assert "Python.h" not in tree.without_comments(text) and "<Python.h>" not in text
