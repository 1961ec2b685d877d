"""`stallmeter.load` and `stallmeter.profile`: reports in Python."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

jsonschema = pytest.importorskip("jsonschema")
pytest.importorskip("torch")
import stallmeter
from conftest import ROOT, program

pytestmark = pytest.mark.profilers

SCHEMA = json.loads((ROOT / "docs" / "report-1.schema.json").read_text())
TRAININGS = Path(__file__).parent / "trainings"
PROFILED = """
import os, sys
sys.path.insert(0, {trainings!r})
import stallmeter
import torch
from pieces import Samples, Trainer
from torch.utils.data import DataLoader


def train(method):
    options = dict(num_workers=1, multiprocessing_context=method) if method else {{}}
    train_loader = DataLoader(Samples(160, 0.01), batch_size=4, **options)
    trainer = Trainer()
    for batch in train_loader:
        trainer.step(batch, 0.002)


def main(method):
    train(method)  # outside: not of the run; torch sets variables of its own
    before = dict(os.environ)
    with stallmeter.profile("run", name="part") as run:
        train(method)
        try:
            run.report
        except RuntimeError as problem:
            print("inside:", problem)
        try:
            with stallmeter.profile():
                pass
        except RuntimeError as problem:
            print("nested:", problem)
    train(method)
    assert dict(os.environ) == before
    report = run.report
    print(report.steps.count, report.loaders[0].name, report.run.complete, report.verdict.class_, report.run.name)
    try:
        with stallmeter.profile("again"):
            raise KeyError("mine")
    except KeyError as problem:
        print("raised:", problem)
    print(os.path.exists("again/rank0.stall"), len(os.listdir("run")))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
"""


def python(folder: Path, *words: str, **variables: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("STALLMETER")}
    return subprocess.run([*words], cwd=folder, env={**clean, "OMP_NUM_THREADS": "1", **variables}, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("method", [None, "fork", "spawn"])
def test_a_part_of_a_program_is_profiled(tmp_path, method):
    (tmp_path / "part.py").write_text(PROFILED.format(trainings=str(TRAININGS)))
    done = python(tmp_path, sys.executable, "part.py", *filter(None, [method]))
    assert done.returncode == 0, done.stderr
    inside, nested, told, raised, left = done.stdout.splitlines()
    assert "when the profiled part is over" in inside and "one at a time" in nested
    assert told.split() == ["40", "train", "True", "INPUT_BOUND", "part"], told
    assert raised == "raised: 'mine'" and left.startswith("True")
    report = stallmeter.load(tmp_path / "run")
    jsonschema.validate(json.loads(report.to_json()), SCHEMA)
    assert not (tmp_path / "run" / "live").exists()


TWICE = """
import sys
sys.path.insert(0, {trainings!r})
import stallmeter
from pieces import Samples, Trainer
from torch.utils.data import DataLoader


class Whole(Samples):
    def __getitems__(self, indices):
        return [self[index] for index in indices]


def main(workers):
    train_loader = DataLoader(Whole(160, 0.01), batch_size=4, num_workers=workers)
    trainer = Trainer()
    with stallmeter.profile("before") as run:
        for batch in DataLoader(Samples(8, 0.001), batch_size=2):
            pass
    for part in ("first", "second"):
        with stallmeter.profile(part) as run:
            for batch in train_loader:
                trainer.step(batch, 0.002)
        (loader,) = run.report.loaders
        reasons = [row.why for row in run.report.not_measured if "__getitems__" in row.why]
        print(loader.name, loader.num_workers, loader.batch_size, loader.batches, run.report.verdict.class_, bool(reasons),
              *[stage.stage for stage in loader.stages if stage.stage != "reorder"])  # whether one overtakes another is chance


if __name__ == "__main__":
    main(int(sys.argv[1]))
"""


@pytest.mark.parametrize("workers", ["0", "2"])
def test_the_second_part_is_told_all_that_the_first_was(tmp_path, workers):
    (tmp_path / "twice.py").write_text(TWICE.format(trainings=str(TRAININGS)))
    done = python(tmp_path, sys.executable, "twice.py", workers)
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.startswith(f"train {workers} 4 40 INPUT_BOUND"), first
    assert first == second


def test_under_run_it_is_the_runs(tmp_path):
    source = "import stallmeter\nwith stallmeter.profile() as run:\n    pass\ntry:\n    run.report\nexcept RuntimeError as e:\n    print(e)\n"
    (tmp_path / "job.py").write_text(source)
    done = python(tmp_path, program(), "run", "-q", "-o", "run", "--", sys.executable, "job.py")
    assert done.returncode == 0 and "under `stallmeter run`" in done.stdout, done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["job.py", "run"]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("load")
    shutil.copytree(TRAININGS, folder, dirs_exist_ok=True)
    done = python(folder, program(), "run", "-q", "-o", "run", "--", sys.executable, "short.py", "40")
    assert done.returncode == 0, done.stderr
    return folder / "run"


def test_fields_are_those_of_the_json(run):
    report = stallmeter.load(run)
    plain = json.loads((run / "report.json").read_text())
    assert report.verdict.class_ == report["verdict"]["class"] == plain["verdict"]["class"]
    assert report.to_json() == (run / "report.json").read_text(), "the same bytes as `stallmeter run` left"
    assert {key: report.steps[key] for key in report.steps} == plain["steps"] and len(report.steps) == len(plain["steps"])
    assert [loader.name for loader in report.loaders] == [loader["name"] for loader in plain["loaders"]]
    with pytest.raises(AttributeError, match="no field 'stpes'; there are: schema, run"):
        report.stpes  # noqa: B018
    with pytest.raises(AttributeError, match="read, not written"):
        report.steps.count = 3


def test_every_form_is_that_of_the_program(run, tmp_path):
    report = stallmeter.load(run)
    for option, text in (("--json", report.to_json()), ("--html", report.to_html()), ("--md", report.to_markdown())):
        done = python(tmp_path, program(), "report", str(run), option, "-")
        assert done.stdout == text, option
    assert str(report).splitlines()[0].startswith("stallmeter") and "\x1b" not in str(report)
    assert report._repr_html_().startswith("<iframe srcdoc=") and report.verdict.class_ in repr(report)
    for name in ("a.html", "a.md", "a.json"):
        assert Path(report.save(tmp_path / name)).stat().st_size > 100
    with pytest.raises(ValueError, match="path: .*ends in none of .html, .md, .json"):
        report.save(tmp_path / "a.pdf")


def test_a_report_json_has_the_fields_alone(run):
    report = stallmeter.load(run / "report.json")
    assert report.steps.count == 40
    assert str(report) == report.verdict.sentence and report.verdict.sentence[:10] in report._repr_html_()
    assert json.loads(report.to_json()) == json.loads((run / "report.json").read_text())
    with pytest.raises(ValueError, match="holds the figures alone"):
        report.to_html()


def test_what_is_no_run_is_refused(run, tmp_path):
    (tmp_path / "garbage.stall").write_bytes(b"\x80\x04garbage" * 100)
    (tmp_path / "other.json").write_text('{"schema": "other"}')
    (tmp_path / "broken.json").write_bytes(b"\xff\xfe{")
    (tmp_path / "pickle.pt").write_bytes(b"\x80\x04cposix\nsystem\n(S'touch owned'\ntR.")
    for name in ("garbage.stall", "other.json", "broken.json", "pickle.pt"):
        with pytest.raises(stallmeter.TraceError, match=name):
            stallmeter.load(tmp_path / name)
    for name in ("absent", "absent.json"):
        with pytest.raises(FileNotFoundError, match=name):
            stallmeter.load(tmp_path / name)
    with pytest.raises(TypeError):
        stallmeter.load(3)
    assert issubclass(stallmeter.TraceError, ValueError)


def test_wrong_arguments_of_profile(tmp_path):
    with pytest.raises(ValueError, match="level: 'loud' is none of basic, detailed"), stallmeter.profile(level="loud"):
        pass
    with pytest.raises(ValueError, match="limit_bytes"), stallmeter.profile(limit_bytes=-1):
        pass
    with pytest.raises(FileExistsError, match="directory: .* is taken"), stallmeter.profile(tmp_path):
        pass
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="cannot record into"), stallmeter.profile(tmp_path / "file" / "run"):
        pass


def test_nothing_of_the_reader_enters_a_process_before_it_is_asked_for():
    code = "import stallmeter, sys; print(sorted(name for name in sys.modules if name.startswith('stallmeter')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['stallmeter']"
