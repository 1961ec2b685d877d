"""docs/format.md against the headers: every number of the format stands there, and means the same."""

import re

import pytest

import tree

TEXT = (tree.ROOT / "docs" / "format.md").read_text()


def table(heading: str) -> list[list[str]]:
    """Rows of the first table whose head line contains `heading`."""
    lines = TEXT.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith("|") and heading in line)
    rows = []
    for line in lines[start + 2:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip().strip("`") for cell in line.strip("|").split("|")])
    return rows


def enumeration(header: str, name: str) -> dict[int, str]:
    body = re.search(rf"enum {name} \{{(.*?)\n\}};", (tree.SRC / header).read_text(), re.S)
    assert body, f"no enum {name} in {header}"
    return {int(number): symbol for symbol, number in re.findall(r"\b(SM_[A-Z0-9_]+) =\s+(\d+)", body.group(1))
            if not symbol.endswith("_LIMIT")}


@pytest.mark.parametrize(("heading", "header", "name", "prefix"), [
    ("| role |", "base/vocabulary.h", "sm_role", "SM_ROLE_"),
    ("| key |", "base/vocabulary.h", "sm_key", "SM_KEY_"),
    ("| type | name | body |", "trace/trace_format.h", "sm_trace_block_type", "SM_TRACE_"),
    ("| codec | name | of |", "trace/trace_format.h", "sm_trace_codec", "SM_TRACE_"),
])
def test_numbers_are_those_of_the_headers(heading, header, name, prefix):
    told = {int(row[0]): row[1].upper() for row in table(heading)}
    assert told == {number: symbol.removeprefix(prefix) for number, symbol in enumeration(header, name).items()}


def test_payloads():
    told = {int(row[0]): row[1] for row in table("| type | name | words |") if row[0].isdigit()}
    known = enumeration("ring/ring_layout.h", "sm_ring_payload")
    assert told == {number: symbol.removeprefix("SM_RING_") for number, symbol in known.items() if number < 64}


def test_counters():
    known = re.findall(r'M\((\d+), \w+, (\w+), (\w+), "(.*?)", "(.*?)"', (tree.SRC / "base/metric.h").read_text())
    kinds = {"CUMULATIVE": "grows", "GAUGE": "level"}
    assert table("| id | counter |") == [[number, name, unit, scope.lower(), kinds[kind]]
                                         for number, scope, kind, unit, name in known]


def test_columns():
    body = re.search(r"enum sm_trace_column \{(.*?)\};", (tree.SRC / "trace/trace_format.h").read_text(), re.S)
    symbols = re.findall(r"SM_TRACE_COLUMN_(\w+),", body.group(1))
    assert len(table("| column | holds |")) == len([symbol for symbol in symbols if symbol != "COUNT"])


@pytest.mark.parametrize(("heading", "struct", "size"), [
    ("| file header |", "sm_trace_file_header", 64), ("| block header |", "sm_trace_block", 64),
    ("| tail |", "sm_trace_tail", 32), ("| entry |", "sm_trace_index_entry", 40),
    ("| in front of the words |", "sm_trace_raw", 48),
    ("| in front of the columns |", "sm_trace_packed", 80), ("| name entry |", "sm_ring_name", 8)])
def test_drawings_fill_their_structs(heading, struct, size):
    """Offsets follow each other without a gap, up to the size that the header asserts."""
    at = 0
    for row in table(heading):
        if not row[1]:
            break
        assert int(row[0]) == at
        at += int(row[1])
    assert at == size
    header = "ring/ring_layout.h" if struct.startswith("sm_ring") else "trace/trace_format.h"
    assert f"sizeof(struct {struct}) == {size}" in (tree.SRC / header).read_text()
