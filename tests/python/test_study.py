"""What trials prove, against numpy, and the page that says it, in an HTML parser and in a real browser. No torch needed."""

from __future__ import annotations

import html.parser
import itertools
import math
from collections.abc import Iterator
from pathlib import Path

import chromium
import pytest
from stallmeter import _read

pytestmark = [pytest.mark.any_torch, pytest.mark.profilers]

HOSTILE = "</script><img src=x onerror=alert(1)>|`\x00\x1b[31m\udc80 \"'&"


# Of 1 to 30 degrees of freedom, 95 %, from any table.
STUDENT = [6.3138, 2.9200, 2.3534, 2.1318, 2.0150, 1.9432, 1.8946, 1.8595, 1.8331, 1.8125, 1.7959, 1.7823, 1.7709, 1.7613, 1.7531,
           1.7459, 1.7396, 1.7341, 1.7291, 1.7247, 1.7207, 1.7171, 1.7139, 1.7109, 1.7081, 1.7056, 1.7033, 1.7011, 1.6991, 1.6973]


def near(value, want):
    return value == pytest.approx(want, rel=1e-9, abs=1e-12)


# --- statistics ---

def batch_means(values):
    """The same in numpy, from the words of src/study/study_mean.c."""
    np = pytest.importorskip("numpy")
    def grouped(length):
        count = len(values) // length
        return values[len(values) - count * length:].reshape(count, length).mean(axis=1)

    def likeness(means):
        squares = ((means - means.mean()) ** 2).sum()
        return 1 - (np.diff(means) ** 2).sum() / (2 * squares) if squares else 0

    def bound(n):
        return 1.2816 * math.sqrt((n - 2) / (n * n - 1))

    values = np.asarray(values, dtype=float)
    length = -(-len(values) // 30)
    means = grouped(length)
    while likeness(means) > bound(len(means)) and len(values) // (2 * length) >= 5:
        length *= 2
        means = grouped(length)
    r = likeness(means) if likeness(means) > bound(len(means)) else 0
    half = STUDENT[len(means) - 2] * math.sqrt(means.var(ddof=1) / (len(means) * (1 - r) / (1 + r)))
    return values.mean(), values.mean() - half, values.mean() + half


@pytest.mark.parametrize("count", [5, 9, 20, 30, 45, 150, 400])
@pytest.mark.parametrize("carried", [0.0, 0.5, 0.9])
def test_mean_is_that_of_numpy(count, carried):
    np = pytest.importorskip("numpy")
    steps = np.random.default_rng(count).normal(size=count)
    values = list(itertools.accumulate(steps, lambda before, step: carried * before + step))
    got, want = _read.mean(values), batch_means(values)
    assert all(near(one, other) for one, other in zip(got, want, strict=True))


def test_mean_holds_what_it_promises():
    np = pytest.importorskip("numpy")
    random = np.random.default_rng(7)
    inside = sum(low <= 0 <= high for _, low, high in (_read.mean(random.normal(size=40)) for _ in range(600)))
    assert 0.86 <= inside / 600 <= 0.95  # 90 %, give or take three standard errors and what batches cost


def test_growth_is_that_of_numpy():
    np = pytest.importorskip("numpy")
    sizes = [1, 2, 4, 8, 16, 32]
    seconds = [0.0011, 0.0031, 0.0082, 0.024, 0.063, 0.19]
    exponent, low, high = _read.growth(sizes, seconds)
    fit, covariance = np.polyfit(np.log(sizes), np.log(seconds), 1, cov=True)
    assert near(exponent, fit[0])
    # 2.1318 is Student's 95 % for four degrees of freedom; it is known to five digits.
    assert high - exponent == pytest.approx(2.1318 * math.sqrt(covariance[0, 0]), rel=1e-6)
    assert near(exponent - low, high - exponent)


def test_compare_is_a_ratio_of_means():
    np = pytest.importorskip("numpy")
    random = np.random.default_rng(3)
    before, after = random.normal(2, 0.1, 80), random.normal(1, 0.1, 60)
    speedup, low, high = _read.compare(before, after)
    assert near(speedup, before.mean() / after.mean())
    assert low < speedup < high
    # The delta method's interval of a ratio, about.
    spread = 1.67 * speedup * math.sqrt(before.var() / 80 / before.mean() ** 2 + after.var() / 60 / after.mean() ** 2)
    assert high - low == pytest.approx(2 * spread, rel=0.35)
    assert (speedup, low, high) == _read.compare(list(before), tuple(after))


def test_compare_holds_what_it_promises():
    np = pytest.importorskip("numpy")
    random = np.random.default_rng(11)
    intervals = (_read.compare(random.normal(2, 0.2, 6), random.normal(1, 0.1, 6)) for _ in range(600))
    assert sum(low <= 2 <= high for _, low, high in intervals) / 600 >= 0.87


def test_too_few_to_say():
    assert _read.mean([]) == (None, None, None)
    assert _read.mean([1, 3]) == (2, None, None)
    assert _read.growth([1, 1], [1, 2]) == (None, None, None)
    assert _read.growth([1, 2], [1, 2])[1:] == (None, None)
    assert _read.compare([1, 2], []) == (None, None, None)
    assert _read.compare([2, 2], [1]) == (2, None, None)


def test_the_cheapest_within_noise_is_chosen():
    assert _read.choose([(8, 10, 9.5, 10.5), (4, 9.8, 9.4, 10.2), (2, 7, 6.8, 7.2)]) == 1
    assert _read.choose([(8, 10, None, None), (4, None, None, None)]) == 0
    assert _read.choose([(1, None, None, None)]) == _read.choose([]) == -1


@pytest.mark.parametrize("call, error, words", [
    (lambda: _read.mean([1, math.nan]), ValueError, "values[1]: nan"),
    (lambda: _read.mean([1, "2"]), TypeError, "values[1]: a number"),
    (lambda: _read.mean(3), TypeError, "values: a sequence"),
    (lambda: _read.growth([1, 2], [1]), ValueError, "seconds: 1 values for 2 sizes"),
    (lambda: _read.growth([-1, 2], [1, 2]), ValueError, "sizes[0]: -1"),
    (lambda: _read.growth([1, 2], [1, 0]), ValueError, "seconds[1]: 0"),
    (lambda: _read.compare([1], [math.inf]), ValueError, "after[0]: inf"),
    (lambda: _read.compare([0], [1]), ValueError, "before[0]: 0"),
    (lambda: _read.choose([(1, 2, 3)]), ValueError, "trials[0]"),
    (lambda: _read.choose([(None, 2, 3, 4)]), TypeError, "trials[0], cost"),
    (lambda: _read.choose(5), TypeError, "trials"),
])
def test_errors_name_the_argument(call, error, words):
    with pytest.raises(error) as raised:
        call()
    assert words in str(raised.value) and "\n" not in str(raised.value)


# --- the page ---

FINDING = {
    "id": "SM102", "type": "INSUFFICIENT_WORKERS", "cause": "too_few_workers", "severity": 0.41, "severity_ci": [0.38, 0.44],
    "confidence": "high", "rank": None, "risk": None,
    "where": {"loader": "train", "stage": "fetch", "name": "", "file": "", "line": None},
    "evidence": [{"metric": "worker_busy_share", "value": 0.99, "unit": "share"},
                 {"metric": "cpu_stolen_s", "value": None, "unit": "s"}],
    "suggestions": [{"text": "Use four workers.", "change": {"num_workers": 4, "pin_memory": True},
                     "predicted_speedup": [1.6, 1.7, 1.8]},
                    {"text": "Start them by spawn.", "change": {"multiprocessing_context": "spawn"},
                     "predicted_speedup": None}]}


def throughput(batch, workers):
    return 200 * min(workers + 1, 5) ** 0.8 * (batch / 16) ** 0.1


def make(word="train.py"):
    page = _read.Page(word, "Data loading")
    page.verdict("FOUR WORKERS", f"Twice as fast as now: {word}", tone="partly")
    page.facts([("now", "412 samples/s"), ("best", "953 samples/s"), ("trials", word)])
    page.heading("Configurations")
    page.text(word)
    rows = [[batch, workers, 2 if workers else None, True,
             (throughput(batch, workers), throughput(batch, workers) * 0.97, throughput(batch, workers) * 1.03),
             throughput(batch, workers) * 0.001234, word] for batch in (16, 32, 64, 128) for workers in (0, 2, 4, 8)]
    page.table(["batch size", "num_workers", "prefetch_factor", "pin_memory", "samples/s", "wait per batch (ms)", "remark"],
               rows, best=10, note="Intervals of 90 %.")
    page.chart("Throughput", "batch size", "samples/s",
               [(f"{workers} workers", [(batch, throughput(batch, workers), throughput(batch, workers) * 0.95,
                                         throughput(batch, workers) * 1.05) for batch in (16, 32, 64, 128)])
                for workers in (0, 2, 4)], best=64)
    page.chart("Memory", word, word, [(word, [(0, 400.0), (1, None), (2, 800.0), (4, 1200)])], best=4)
    page.chart("Device use", "s", "share", [("GPU", [(i / 10, 0.5 + 0.4 * math.sin(i / 20)) for i in range(600)])])
    page.chart("Time by size", "size", "ms", [("f", [(2 ** power, 2.0 ** power / 1000) for power in range(21)])])
    page.heading("Findings")
    page.finding(FINDING)
    page.finding({"type": "MY_OWN", "title": word, "confidence": "low", "risk": "Memory runs out."})
    return page


class Reader(html.parser.HTMLParser):
    """Every element that opens is closed, in order; what is read is kept."""

    VOID = frozenset({"meta", "link", "br", "img", "input", "hr"})

    def __init__(self):
        super().__init__()
        self.open, self.seen, self.words, self.ids = [], [], [], []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)
        self.ids += [value for name, value in attributes if name == "id"]
        assert not [name for name, _ in attributes if name.startswith("on")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.seen.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def read(page):
    reader = Reader()
    reader.feed(page.html())
    reader.close()
    return reader


@pytest.mark.parametrize("word", ["train.py", HOSTILE])
def test_the_page_is_well_formed(word):
    reader = read(make(word))
    assert not reader.open
    assert {"script", "img", "iframe", "object"}.isdisjoint(reader.seen)
    assert len(reader.ids) == len(set(reader.ids))
    assert reader.seen.count("svg") == 4 + 3  # the charts, and the legend of the first


def test_every_form_says_the_same():
    page = make()
    for text in (" ".join(read(page).words), page.markdown(), page.text_form()):
        for words in ("FOUR WORKERS", "412 samples/s", "725 (703–747)", "0.247", "Intervals of 90 %.", "Not enough workers",
                      "gives back 41 % (38–44 %)", "99 %", "predicted 1.70× faster (1.60–1.80×)", "Memory runs out.",
                      "– not measured", "Device use"):
            assert words in text
    assert page.html() == make().html() and page.markdown() == make().markdown() and page.text_form() == make().text_form()


def test_settings_are_said_as_python_takes_them():
    said = " ".join(read(make()).words)
    assert "num_workers=4, pin_memory=True" in said and "multiprocessing_context='spawn'" in said


def test_text_is_of_a_hundred_columns():
    for word in ("train.py", "x" * 300, "many words " * 40):
        assert max(map(len, make(word).text_form().splitlines())) <= 100


def test_tables_in_markdown_are_tables():
    lines = make(HOSTILE).markdown().splitlines()
    tables = [list(group) for is_row, group in itertools.groupby(lines, lambda line: line.startswith("|")) if is_row]
    assert len(tables) == 5
    for rows in tables:
        bars = {len([at for at, one in enumerate(row) if one == "|" and row[at - 1:at] != "\\"]) for row in rows}
        assert len(bars) == 1


def test_numbers_of_numpy_are_numbers():
    np = pytest.importorskip("numpy")
    page = _read.Page("t", "k")
    page.table(["a", "b", "c"], [np.array([1.5, 2.5, 1234.5]), (np.int64(1234567), np.float32(0.25), True)])
    page.chart("c", "x", "y", [("s", np.array([[1, 2], [2, 3]]))])
    assert "1,234,567" in page.markdown() and "1,230" in page.markdown() and "0.250" in page.markdown()


@pytest.mark.parametrize("call, error, words", [
    (lambda page: page.table([], []), ValueError, "columns: 1 to 32"),
    (lambda page: page.table(["a"], [[1, 2]]), ValueError, "rows[0]: 2 cells for 1 columns"),
    (lambda page: page.table(["a"], [[1]], best=1), ValueError, "best: row 1 of 1"),
    (lambda page: page.table(["a"], [[object()]]), TypeError, "rows: a number"),
    (lambda page: page.table([1], []), TypeError, "columns: a str"),
    (lambda page: page.table(["a"], "rows"), TypeError, "rows: a sequence"),
    (lambda page: page.facts([("a",)]), ValueError, "pairs: 2 values"),
    (lambda page: page.facts([("a", 1)]), TypeError, "pairs: a str"),
    (lambda page: page.verdict("a", "b", tone="loud"), ValueError, "tone: loud"),
    (lambda page: page.heading(1), TypeError, "text: a str"),
    (lambda page: page.chart("a", "b", "c", [("s", [(1,)])]), ValueError, "series: a point"),
    (lambda page: page.chart("a", "b", "c", [("s", [(math.nan, 1)])]), ValueError, "series: x of a point"),
    (lambda page: page.chart("a", "b", "c", [("s", [(None, 1)])]), TypeError, "series, of a point"),
    (lambda page: page.chart("a", "b", "c", [(str(i), []) for i in range(32)]), ValueError, "series: at most 31"),
    (lambda page: page.finding([]), TypeError, "finding: a mapping"),
    (lambda page: page.finding({"type": "A"}), ValueError, "confidence"),
    (lambda page: page.finding({"confidence": "low"}), ValueError, "no type"),
    (lambda page: page.finding(FINDING | {"severity": "0.3"}), TypeError, "finding, severity"),
    (lambda page: page.finding(FINDING | {"evidence": [{"metric": "m"}] * 13}), ValueError, "evidence: at most 12"),
    (lambda page: _read.Page("a"), TypeError, "kind"),
])
def test_errors_of_the_page_name_the_argument(call, error, words):
    page = _read.Page("t", "k")
    before = page.html()
    with pytest.raises(error) as raised:
        call(page)
    assert words in str(raised.value) and "\n" not in str(raised.value)
    assert page.html() == before


# --- in a browser ---

@pytest.fixture(scope="module")
def browser() -> Iterator[chromium.Browser]:
    if not chromium.PROGRAM:
        pytest.skip("no browser: apt-get install chromium")
    with chromium.browser() as opened:
        yield opened


@pytest.fixture(scope="module", params=["train.py", HOSTILE, "x" * 200], ids=["plain", "hostile", "long"])
def written(request, tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("study") / "study.html"
    path.write_text(make(request.param).html(), encoding="utf-8")
    return path


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [1280, 400])
def test_the_page_in_a_browser(browser, written, width, dark):
    browser.open(written, width=width, dark=dark, script=True)
    assert browser.complaints() == [] and browser.requests() == []
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth"), "the page scrolls sideways"
    # What is drawn stays in its drawing, and no words of an axis lie over each other.
    assert browser.evaluate("""[...document.querySelectorAll(".chart > svg")].every(svg => {
        const box = svg.getBoundingClientRect();
        return [...svg.querySelectorAll("*")].filter(one => one.getBBox && one.tagName != "g").every(one => {
            const at = one.getBoundingClientRect();
            return at.left >= box.left - 1 && at.right <= box.right + 1 && at.top >= box.top - 1 && at.bottom <= box.bottom + 1;
        });
    })"""), "a chart is cut off"
    assert browser.evaluate("""[...document.querySelectorAll(".chart > svg")].every(svg => {
        const boxes = [...svg.querySelectorAll("text")].map(one => one.getBoundingClientRect());
        return boxes.every((a, i) => boxes.every((b, k) => k <= i || a.right <= b.left || b.right <= a.left ||
                                                           a.bottom <= b.top + 2 || b.bottom <= a.top + 2));
    })"""), "words lie over each other"
    ink, paper = browser.evaluate("""[getComputedStyle(document.querySelector(".part")).color,
                                      getComputedStyle(document.querySelector(".part")).backgroundColor]""")
    assert (light(ink) > light(paper)) == dark


def light(colour):
    return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))


def test_a_wide_table_scrolls_in_its_box(browser, written):
    browser.open(written, width=400)
    assert browser.evaluate("document.querySelector('.scroll').scrollWidth > document.querySelector('.scroll').clientWidth")


def test_numbers_that_are_opened_leave_the_chart_its_size(browser, written):
    browser.open(written, width=400)
    size = "JSON.stringify([...document.querySelectorAll('.chart > svg')].map(one => one.getBoundingClientRect().width))"
    closed = browser.evaluate(size)
    browser.evaluate("document.querySelectorAll('.chart details').forEach(one => { one.open = true; })")
    assert browser.evaluate(size) == closed
    assert browser.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_paper_shows_the_whole_table(browser, written):
    browser.open(written, width=750)
    browser.call("Emulation.setEmulatedMedia", media="print")
    wide = browser.evaluate("""[...document.querySelectorAll(".part > .scroll > table")]
        .map(one => one.getBoundingClientRect().right - one.closest(".part").getBoundingClientRect().right)""")
    browser.call("Emulation.setEmulatedMedia", media="")
    assert len(wide) == 1 and wide[0] <= 0


def test_it_needs_no_script(browser, written):
    browser.open(written, script=False)
    assert browser.complaints() == []
