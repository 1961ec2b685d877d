"""Every fenced Python block of the specification, run as it is written.

The specification stands beside the project and not in it; without it nothing here can be run, and the tests say so by being
skipped. What the blocks take for granted is made in specification_world.py: a real data set of JPEGs of real photographs, a
real model, real functions. The blocks run in document order in one process: those of the data loading and the
preprocessing profiler in a namespace of their own, all others in one, as a reader of the document would type them. The three
blocks that print a dataclass are no legal Python (their defaults are mutable) and are compared with the real classes.
"""

from __future__ import annotations

import ast
import dataclasses
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

import pytest
import stallmeter
from conftest import ROOT

pytestmark = pytest.mark.profilers

HERE = Path(__file__).parent
SPECIFICATION = next((path for folder in ROOT.parents if (path := folder / "shared" / "spec" / "specification.md").exists()), None)
WHERE = "shared/spec/specification.md is not beside the project"


@dataclass
class Block:
    heading: str
    line: int
    source: str

    @property
    def prints_a_class(self):
        return self.source.startswith("@dataclass")


def blocks():
    found, heading, since = [], "", None
    for number, line in enumerate(SPECIFICATION.read_text().splitlines() if SPECIFICATION else [], 1):
        if since is None and line.startswith("#"):
            heading = re.sub(r"[#*]", "", line).strip()
        if since is None and line.strip() == "```python":
            since, lines = number, []
        elif since is not None and line.strip() == "```":
            found.append(Block(heading, since + 1, "\n".join(lines) + "\n"))
            since = None
        elif since is not None:
            lines.append(line)
    return found


ALL = blocks()
RUN = [block for block in ALL if not block.prints_a_class]
PRINTED = [block for block in ALL if block.prints_a_class]


def name(block):
    return f"{block.line}: {block.heading}"


def photographs():
    """The folder of those that scikit-image carries: its own, or that of an environment beside this one (Debian's has none)."""
    spec = find_spec("skimage")
    beside = Path(sys.executable).parents[2].glob(".venv-*/lib/python3*/site-packages/skimage")
    for package in [*(spec.submodule_search_locations if spec else ()), *beside]:
        if (Path(package) / "data" / "astronaut.png").exists():
            return Path(package) / "data"
    pytest.skip("no scikit-image here, whose photographs the data set is made of")


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory):
    """What became of each block: {line: {"error", "printed", "seconds"}}."""
    pytest.importorskip("torch")
    pytest.importorskip("PIL")
    folder = tmp_path_factory.mktemp("specification")
    (folder / "blocks.json").write_text(json.dumps([dataclasses.asdict(block) for block in RUN]))
    clean = {key: value for key, value in os.environ.items() if not key.startswith("STALLMETER")}
    done = subprocess.run([sys.executable, str(HERE / "specification_world.py"), "blocks.json", str(photographs())], cwd=folder,
                          env={**clean, "OMP_NUM_THREADS": "1"}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    return {row["line"]: row for row in json.loads((folder / "outcomes.json").read_text())}


@pytest.mark.skipif(SPECIFICATION is None, reason=WHERE)
def test_the_specification_is_read_whole():
    """A block that the reading missed would pass by not being run."""
    assert len(ALL) == SPECIFICATION.read_text().count("```python") >= 20 and len(PRINTED) == 3


@pytest.mark.skipif(SPECIFICATION is None, reason=WHERE)
@pytest.mark.parametrize("block", RUN, ids=name)
def test_a_block_runs_as_it_is_written(block, outcomes):
    outcome = outcomes[block.line]
    assert outcome["error"] is None, f"{name(block)}\n{block.source}\n{outcome['error']}"


@pytest.mark.skipif(SPECIFICATION is None, reason=WHERE)
@pytest.mark.parametrize("block", PRINTED, ids=name)
def test_a_printed_class_is_the_real_one(block):
    (printed,) = ast.parse(block.source).body
    real = getattr(stallmeter, printed.name)
    fresh = real()
    names = {field.name: field for field in dataclasses.fields(real)}
    assert [line.target.id for line in printed.body] == list(names)
    for line in printed.body:
        field = names[line.target.id]
        word = field.type if isinstance(field.type, str) else getattr(field.type, "__name__", str(field.type))
        word = str(field.type).removeprefix("typing.") if "[" in str(field.type) else word
        assert ast.unparse(line.annotation) == word, field.name
        default = eval(ast.unparse(line.value), vars(stallmeter) | {"ProfilingLevel": stallmeter.ProfilingLevel})
        assert getattr(fresh, field.name) == default and type(getattr(fresh, field.name)) is type(default), field.name
