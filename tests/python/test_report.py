"""The report of a real run, as its reader meets it: files, words, exit codes, and the page in a real browser."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("torch")
jsonschema = pytest.importorskip("jsonschema")
import chromium
from conftest import stallmeter

pytestmark = pytest.mark.any_torch

ROOT = Path(__file__).resolve().parents[2]
NAME = "</script><img src=x onerror=alert(1)>"
TRAINING = f"""
import time
import torch
from torch.utils.data import DataLoader, Dataset

class Step:
    def __call__(self, x):
        until = time.perf_counter() + 0.004
        while time.perf_counter() < until:
            pass
        return x + 1

Step.__name__ = Step.__qualname__ = {NAME!r}

class Compose:
    def __init__(self, transforms):
        self.transforms = transforms
    def __call__(self, x):
        for transform in self.transforms:
            x = transform(x)
        return x

class Pictures(Dataset):
    def __init__(self):
        self.transform = Compose([Step()])
    def __len__(self):
        return 320
    def __getitem__(self, index):
        return self.transform(torch.full((16,), float(index)))

if __name__ == "__main__":
    model = torch.nn.Linear(16, 16)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for batch in DataLoader(Pictures(), batch_size=4, num_workers=2):
        optimizer.zero_grad()
        model(batch).sum().backward()
        optimizer.step()
"""


@pytest.fixture(scope="session")
def recorded(tmp_path_factory) -> tuple[Path, str]:
    """A run, and what `stallmeter run` said about it."""
    folder = tmp_path_factory.mktemp("report")
    (folder / "train.py").write_text(TRAINING)
    said = stallmeter("run", "-o", "run", "--", sys.executable, "train.py", cwd=folder).stderr
    return folder / "run", said


@pytest.fixture(scope="session")
def report(recorded) -> dict:
    return json.loads((recorded[0] / "report.json").read_text())


def test_run_leaves_a_report_and_says_the_verdict(recorded, report):
    folder, said = recorded
    assert {"report.json", "report.html"} <= {path.name for path in folder.iterdir()}
    word = report["verdict"]["class"].replace("_", "-").replace("CANNOT-TELL", "CANNOT TELL").replace("PARTLY-", "PARTLY ")
    assert word in said


def test_the_json_keeps_its_schema(report):
    schema = json.loads((ROOT / "docs" / "report-1.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    errors = [f"{error.json_path}: {error.message}" for error in jsonschema.Draft202012Validator(schema).iter_errors(report)]
    assert not errors


def test_shares_add_up(report):
    for loader in report["loaders"]:
        stages = {stage["stage"]: stage["share"] for stage in loader["stages"]}
        assert abs(sum(stages.values()) - 1) < 1e-6
        if loader["transforms"]:
            assert abs(sum(row["share"] for row in loader["transforms"]) - stages["transform"]) < 1e-6


def nulls(value, path=""):
    if value is None:
        yield path
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, child in children:
        yield from nulls(child, f"{path}.{key}")


def test_what_is_null_is_explained(report):
    told = " ".join(row["what"] for row in report["not_measured"])
    for metric in report["metrics"]:
        if metric["summary"]["mean"] is None:
            assert metric["name"] in told
    missing = [path for path in nulls(report["steps"]) if path] + [path for path in nulls(report["run"]["overhead"]) if path]
    assert not missing or told


def test_the_same_trace_gives_the_same_bytes(recorded):
    folder, _ = recorded
    for form in ("--json", "--html", "--md"):
        first = stallmeter("report", folder, form, "-").stdout
        assert first == stallmeter("report", folder, form, "-").stdout
        assert len(first) > 500
    assert stallmeter("report", folder, "--json", "-").stdout == (folder / "report.json").read_text()
    assert stallmeter("report", folder, "--html", "-").stdout == (folder / "report.html").read_text()


def test_text_is_plain_in_a_pipe_and_fits_a_screen(recorded):
    for columns in ("100", "60"):
        text = stallmeter("report", recorded[0], COLUMNS=columns).stdout
        lines = text.splitlines()
        assert 5 <= len(lines) <= 25
        assert max(map(len, lines)) <= int(columns)
        assert "\x1b" not in text


def test_one_file_of_a_run_will_do(recorded):
    verdict = stallmeter("report", recorded[0] / "rank0.stall", "--json", "-").stdout
    assert json.loads(verdict)["verdict"] == json.loads((recorded[0] / "report.json").read_text())["verdict"]


def test_files_are_written_whole_or_not_at_all(recorded, tmp_path):
    stallmeter("report", recorded[0], "--json", tmp_path / "r.json", "--md", tmp_path / "r.md", "--html", tmp_path / "r.html")
    assert {path.name for path in tmp_path.iterdir()} == {"r.json", "r.md", "r.html"}
    said = stallmeter("report", recorded[0], "--html", tmp_path / "none" / "r.html", code=4).stderr
    assert "r.html" in said and "No such file" in said
    said = stallmeter("report", recorded[0], "--html", "/dev/full", code=4).stderr
    assert "No space left" in said and "/dev/full" in said


def test_a_run_that_was_cut_short_is_judged_and_marked(recorded, tmp_path):
    cut = tmp_path / "cut"
    cut.mkdir()
    whole = (recorded[0] / "rank0.stall").read_bytes()
    (cut / "rank0.stall").write_bytes(whole[:len(whole) * 6 // 10])
    assert json.loads(stallmeter("report", cut, "--json", "-").stdout)["run"]["complete"] is False
    assert "incomplete" in stallmeter("report", cut).stdout


def test_what_is_no_run_is_refused(tmp_path):
    (tmp_path / "junk.stall").write_bytes(b"not a trace" * 1000)
    (tmp_path / "empty").mkdir()
    for path in (tmp_path / "absent", tmp_path / "junk.stall", tmp_path / "empty"):
        said = stallmeter("report", path, code=3)
        assert path.name in said.stderr and not said.stdout


@pytest.mark.parametrize("arguments", [(), ("a", "b"), ("a", "--json", "-", "--md", "-"), ("a", "--json"), ("a", "--nonsense")])
def test_wrong_usage_is_told(arguments):
    said = stallmeter("report", *arguments, code=2)
    assert said.stderr and not said.stdout


# In the browser.


@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    if not chromium.PROGRAM:
        pytest.skip("no Chromium")
    with chromium.browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def page(recorded) -> Path:
    return recorded[0] / "report.html"


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (400, 800)])
@pytest.mark.parametrize("dark", [False, True])
def test_the_page_opens_in_silence(browser, page, width, height, dark):
    browser.open(page, width=width, height=height, dark=dark)
    assert browser.complaints() == []
    assert browser.requests() == []
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


def test_the_page_says_the_verdict_without_a_script(browser, page, report):
    browser.open(page, script=False)
    browser.call("Emulation.setScriptExecutionDisabled", value=False)
    text = browser.evaluate("document.querySelector('main').textContent")
    assert report["verdict"]["sentence"] in text
    for finding in report["findings"]:
        assert finding["id"] in text
    for loader in report["loaders"]:
        for stage in loader["stages"]:
            assert stage["stage"] in text


def test_the_verdict_stands_on_the_first_screen(browser, page):
    browser.open(page, width=1280, height=800)
    assert browser.evaluate("document.querySelector('.sentence').getBoundingClientRect().bottom") < 600
    assert browser.evaluate("document.querySelector('.advice').getBoundingClientRect().top") < 600


def test_names_from_the_program_are_only_names(browser, page, report):
    browser.open(page)
    assert browser.evaluate("document.querySelectorAll('img').length") == 0
    transforms = [row["name"] for loader in report["loaders"] for row in loader["transforms"]]
    for name in transforms:
        assert browser.evaluate(f"document.body.innerText.includes({json.dumps(name)})")


def test_the_policy_lets_no_other_script_run(browser, page):
    browser.open(page)
    browser.evaluate("const s = document.createElement('script'); s.textContent = 'window.foreign = 1'; document.body.append(s)")
    assert browser.evaluate("typeof window.foreign") == "undefined"
    assert any("Content Security Policy" in complaint for complaint in browser.complaints())


def test_every_picture_has_its_table(browser, page):
    browser.open(page)
    figures = browser.evaluate("[...document.querySelectorAll('figure')]"
                               ".map(f => [!!f.querySelector('svg, canvas'), !!f.querySelector('details.twin')])")
    assert len(figures) > 3 and all(map(all, figures))
    browser.evaluate("document.querySelectorAll('details.twin').forEach(d => d.open = true)")
    browser.evaluate("new Promise(done => setTimeout(done, 50))")
    assert browser.evaluate("[...document.querySelectorAll('details.twin')]"
                            ".every(d => d.querySelectorAll('tbody tr').length > 0)")


def test_keys(browser, page, report):
    browser.open(page)
    browser.key("?")
    assert browser.evaluate("document.querySelector('dialog').open")
    browser.key("Escape")
    browser.evaluate("document.querySelector('dialog').close()")
    background = "getComputedStyle(document.documentElement).backgroundColor"
    browser.key("t")
    light = browser.evaluate(background)
    browser.key("t")
    assert browser.evaluate(background) != light
    whole = browser.evaluate("document.querySelector('.range').innerText")
    browser.key("+")
    assert browser.evaluate("document.querySelector('.range').innerText") != whole
    browser.key("0")
    assert browser.evaluate("document.querySelector('.range').innerText") == whole
    if any(finding["severity"] is None or finding["severity"] >= 0.05 for finding in report["findings"]):
        browser.key("n")
        assert browser.evaluate("document.activeElement.id") == "finding-1"
    assert browser.complaints() == []


CONTRAST = """
(() => {
  const probe = document.createElement('i');
  document.body.append(probe);
  const light = name => {
    probe.style.color = `var(${name})`;
    const [r, g, b] = getComputedStyle(probe).color.match(/[0-9.]+/g).map(v => v / 255)
      .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = light('--paper');
  return ['--ink', '--soft', '--stall', '--fine', '--unsure', '--partly', '--accent'].map(name => {
    const [dim, bright] = [light(name), paper].sort((a, b) => a - b);
    return [name, (bright + 0.05) / (dim + 0.05)];
  });
})()
"""


@pytest.mark.parametrize("dark", [False, True])
def test_text_can_be_read(browser, page, dark):
    browser.open(page, dark=dark)
    assert [(name, ratio) for name, ratio in browser.evaluate(CONTRAST) if ratio < 4.5] == []


def test_paper_has_no_buttons(browser, page):
    browser.open(page)
    browser.call("Emulation.setEmulatedMedia", media="print")
    assert browser.evaluate("getComputedStyle(document.querySelector('.tools')).display") == "none"
    browser.call("Emulation.setEmulatedMedia", media="")
