"""The way in: what stands in front of the import path, and what it leaves alone."""

import ast
import importlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, other_interpreters

import ring

PLAIN = "import sys; print(sys.path[1:], sorted(sys.argv), 'torch' in sys.modules)"


def test_nothing_is_different_in_a_program_without_torch(run):
    with_us, without = run(PLAIN), run(PLAIN, observed=False)
    assert (with_us.out, with_us.err) == (without.out, without.err)
    assert with_us.job.processes == [], "a process that has nothing to say makes no mapping"


def test_a_sitecustomize_of_the_user_runs_as_without_us(run, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import sys\nprint('custom', __name__, __file__.split('/')[-2])\nmark = 5\n")
    program = "import sys, sitecustomize; print(sitecustomize.mark, sitecustomize.__file__.split('/')[-2])"
    with_us, without = (run(program, observed=observed, PYTHONPATH=str(folder)) for observed in (True, False))
    assert with_us.out == without.out == "custom sitecustomize mine\n5 mine\n"


def test_a_sitecustomize_of_the_user_that_fails_is_told_as_always(run, tmp_path):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("raise ValueError('mine')\n")
    with_us, without = (run("print(1)", observed=observed, PYTHONPATH=str(folder)) for observed in (True, False))
    assert with_us.out == without.out == "1\n"
    assert with_us.err == without.err and "mine" in with_us.err


def test_the_folder_holds_nothing_else_that_can_be_imported(inject):
    assert {path.name for path in inject.iterdir()} - {"__pycache__"} == {"sitecustomize.py", "_stallmeter"}


@pytest.mark.parametrize("python", [sys.executable, *other_interpreters()])
def test_every_interpreter_takes_it(run, python):
    program = '''
import sys
assert "stallmeter" not in sys.modules and "_stallmeter" in sys.modules
from _stallmeter import record, ensure_session
assert record.__name__ == "_stallmeter._record"
assert ensure_session()
with record.span("here"): pass
'''
    (process,) = run(program, python=python).job.processes
    assert [span.name for span in process.spans] == ["here"] and process.closed == 1


def test_a_virtual_environment_without_us(run, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "bare"], check=True)
    program = "import _stallmeter; _stallmeter.ensure_session(); _stallmeter.record.mark('in')\ntry:\n import stallmeter\nexcept ImportError: print('bare')"
    done = run(program, python=str(tmp_path / "bare/bin/python"))
    assert done.out == "bare\n" and [mark.name for mark in done.job.processes[0].marks] == ["in"]


@pytest.mark.parametrize("option", ["-I", "-E", "-S"])
def test_an_interpreter_that_ignores_the_environment_is_not_reached(run, option):
    done = run("import sys; print('_stallmeter' in sys.modules)", options=[option])
    assert done.out == "False\n" and done.job.processes == []


def test_a_folder_that_cannot_be_written_stops_nothing(run):
    program = '''
import os, sys
os.environ["STALLMETER_LIVE"] = "/proc/nowhere"
import _stallmeter
assert _stallmeter.ensure_session() is False
import stallmeter
with stallmeter.span("x"): stallmeter.mark("y"); stallmeter.counter("z", 1)
print("fine")
'''
    package = package_folder()
    assert run(program, PYTHONPATH=package).out == "fine\n"


def package_folder():
    import stallmeter

    return os.path.dirname(os.path.dirname(stallmeter.__file__))


def test_the_package_and_the_folder_are_one(run):
    program = '''
import stallmeter, _stallmeter
assert stallmeter._inner is _stallmeter and stallmeter.span is _stallmeter.record.span
@stallmeter.span("work", type="io")
def work(n):
    """its words"""
    return n
assert work(3) == 3 and work.__doc__ == "its words"
stallmeter.mark("here"); stallmeter.counter("loss", 0.5, "nat")
print(stallmeter.__version__)
'''
    done = run(program, PYTHONPATH=package_folder())
    (process,) = done.job.processes
    assert done.out == "0.1.0\n"
    assert [(span.name, span.second) for span in process.spans] == [("work", "io")]
    assert process.counters == [("loss", 0.5)] and [mark.name for mark in process.marks] == ["here"]


def test_importing_the_package_needs_the_standard_library_only():
    program = "import sys; before = set(sys.modules); import stallmeter; " \
              "print(*{m.split('.')[0] for m in set(sys.modules) - before} - set(sys.stdlib_module_names))"
    done = subprocess.run([sys.executable, "-c", program], env={"PYTHONPATH": package_folder(), "PATH": os.environ["PATH"]},
                          capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == {"stallmeter", "_stallmeter"}


def test_an_interpreter_without_a_recorder_records_nothing_and_works(run, inject, tmp_path):
    bare = tmp_path / "inject"
    (bare / "_stallmeter").mkdir(parents=True)
    for path in [inject / "sitecustomize.py", *(inject / "_stallmeter").glob("*.py")]:
        (bare / path.relative_to(inject)).write_text(path.read_text())
    program = '''
import _stallmeter, sys
assert _stallmeter.record.__name__.endswith("absent")
record = _stallmeter.record
with record.span("x", type="y"): record.mark("z")
assert record.span("f")(len)([1]) == 1 and record.wrap(len, record.span("g"))([1]) == 1
assert _stallmeter.ensure_session() is False
print("fine")
'''
    assert run(program, observed=False, PYTHONPATH=str(bare), STALLMETER_LIVE=str(tmp_path)).out == "fine\n"


STRANGE = {
    "nothing known": {"utils/data/dataloader.py": "class DataLoader: pass\n"},
    "half of it": {"utils/data/dataloader.py": "class _BaseDataLoaderIter:\n def __next__(self): return 1\nclass DataLoader: pass\n"},
    "other things under known names": {
        "utils/data/dataloader.py": "_BaseDataLoaderIter = 5\n_DatasetKind = len\n_MultiProcessingDataLoaderIter = None\nclass DataLoader: pass\n"},
}


@pytest.mark.parametrize("case", STRANGE)
def test_a_torch_that_we_do_not_know_goes_on_as_it_is(run, tmp_path, case):
    files = {"__init__.py": "__version__ = '9.0'\nfrom . import autograd, optim, version, utils\nimport torch.utils.data\n",
             "autograd.py": "", "optim.py": "class Optimizer: pass\n", "version.py": "", "utils/__init__.py": "",
             "utils/data/__init__.py": "from torch.utils.data.dataloader import DataLoader\n", **STRANGE[case]}
    for name, text in files.items():
        path = tmp_path / "strange/torch" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    done = run("import torch, torch.utils.data\nprint(torch.__version__)\n", PYTHONPATH=str(tmp_path / "strange"))
    assert (done.out, done.err) == ("9.0\n", "")
    (process,) = done.job.processes
    assert {fact["kind"] for fact in process.facts} & {"estimated", "not_measured"}


def test_a_torch_that_fails_to_import_fails_as_always(run, tmp_path):
    (tmp_path / "broken/torch").mkdir(parents=True)
    (tmp_path / "broken/torch/__init__.py").write_text("raise ImportError('no such wheel')\n")
    program = "import traceback\ntry: import torch\nexcept ImportError: print(len(traceback.format_exc()))\n"
    with_us, without = (run("import torch", observed=observed, PYTHONPATH=str(tmp_path / "broken"), expect=1)
                        for observed in (True, False))
    assert user_lines(with_us.err) == user_lines(without.err)
    assert program


def user_lines(text):
    return [line for line in text.splitlines() if "hook.py" not in line and "execute(module)" not in line]


def test_the_loader_of_a_module_is_as_it_was(run, tmp_path):
    (tmp_path / "fine/torch").mkdir(parents=True)
    (tmp_path / "fine/torch/__init__.py").write_text("")
    program = "import sys, torch; print(vars(torch.__spec__.loader).keys(), type(torch.__loader__).__name__)"
    with_us, without = (run(program, observed=observed, PYTHONPATH=str(tmp_path / "fine")) for observed in (True, False))
    assert with_us.out == without.out


def test_the_program_is_found_from_the_package(tmp_path):
    program = tmp_path / "bin/stallmeter"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho found \"$@\"\nexit 3\n")
    program.chmod(0o755)
    code = f"import sysconfig, sys; sysconfig.get_path = lambda *a: {str(program.parent)!r}; sys.argv = ['stallmeter', 'run', '--', 'x']; " \
           "import runpy; runpy.run_module('stallmeter', run_name='__main__')"
    package = tmp_path / "lib/stallmeter"  # with no program of its own build beside it
    shutil.copytree(Path(package_folder()) / "stallmeter", package)
    if (Path(package_folder()) / "inject/_stallmeter").is_dir():  # a build tree; an installed package holds it
        shutil.copytree(Path(package_folder()) / "inject", package.parent / "inject")
    done = subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": str(package.parent)}, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (3, "found run -- x\n"), done.stderr


def names_in_stub(module):
    """What a stub defines, and what it imports under its own name: what its module must have."""
    stub = ast.parse((ROOT / "python/stallmeter" / f"{module}.pyi").read_text())
    defined = {node.name for node in stub.body if isinstance(node, (ast.FunctionDef, ast.ClassDef))}
    handed_on = {name.asname for node in stub.body if isinstance(node, ast.ImportFrom) for name in node.names}
    return defined | handed_on - {None}


def test_stubs_name_what_the_package_has():
    import stallmeter

    assert names_in_stub("__init__") - {"Span"} == set(stallmeter.__all__)
    assert all(hasattr(stallmeter, name) for name in stallmeter.__all__)


@pytest.mark.parametrize("module", ["_read", "profiling", "report"])
def test_stubs_of_modules_name_what_they_have(module):
    names = names_in_stub(module)
    assert names and all(hasattr(importlib.import_module(f"stallmeter.{module}"), name) for name in names)


def test_decoder_agrees_with_the_layout():
    """The numbers that tests/python/ring.py reads by are those of the header."""
    text = (ROOT / "src/ring/ring_layout.h").read_text()
    for name in ("CAUSE", "COUNTER", "THREAD", "SYNC", "LOST", "ARG"):
        assert f"SM_RING_{name} = {getattr(ring, name)}," in text
