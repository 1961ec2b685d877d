"""The extension by itself, on every interpreter that is here; torch is not needed."""

import subprocess
import sys

import pytest
from conftest import other_interpreters

import ring

PROGRAM = '''
import inspect, pickle, sys, threading, weakref
sys.path.insert(0, sys.argv[1])
from _stallmeter import _record as record

record.session_start(sys.argv[2], program="test")

with record.span("decode", type="io") as handle:
    with record.span("inner"):
        pass
assert record.span("decode", "io") is handle
assert record.span("decode") is not handle
assert record.span(name="decode", type="io") is handle
for wrong in (lambda: record.span(), lambda: record.span(1), lambda: record.span("a", "b", "c"), lambda: record.span("a", kind="b"),
              lambda: record.span("a", name="b")):
    try:
        wrong()
    except TypeError:
        pass
    else:
        raise AssertionError(wrong)

try:
    with record.span("fails"):
        raise KeyError("mine")
except KeyError:
    pass

def fall(n):
    with record.span("recursion"):
        return fall(n - 1) if n else 0
fall(3)

def plain(a, b=2, *, c=3):
    """its own words"""
    return a + b + c
original = plain
seen = []
wrapped = record.wrap(plain, record.span("wrapped"), lambda *a, **k: seen.append((a, k)), lambda r, *a, **k: seen.append(r))
assert wrapped(1) == 6 and wrapped(1, c=5) == 8 and wrapped(a=3) == 8
assert seen == [((1,), {}), 6, ((1,), {"c": 5}), 8, ((), {"a": 3}), 8], seen
assert record.wrap(plain, None, None, lambda result, *a: "instead")(1) == "instead"
assert wrapped.__name__ == "plain" and wrapped.__doc__ == "its own words" and wrapped.__wrapped__ is original
assert inspect.signature(wrapped) == inspect.signature(original) and inspect.isfunction(wrapped)
assert repr(wrapped) == repr(original) and wrapped == original and hash(wrapped) == hash(original) and {original: 1}[wrapped] == 1
wrapped.label = "kept"
assert original.label == "kept" and wrapped.__dict__ is original.__dict__
weakref.ref(wrapped)
plain = wrapped
assert pickle.dumps(wrapped) == pickle.dumps(wrapped) and pickle.loads(pickle.dumps(wrapped)) is wrapped

class Model:
    @record.span("method")
    def forward(self, x):
        return x, self
model = Model()
assert model.forward(1) == (1, model) and inspect.ismethod(model.forward)
assert model.forward.__func__ is Model.__dict__["forward"] and pickle.loads(pickle.dumps(Model.forward)) is Model.forward

many = record.wrap(lambda *a, **k: (a, k), record.span("many"), lambda *a, **k: None, lambda r, *a, **k: None)
assert many(*range(30), **{f"k{i}": i for i in range(30)}) == (tuple(range(30)), {f"k{i}": i for i in range(30)})

def boom(*a):
    raise ValueError
safe = record.wrap(original, record.span("safe"), None, boom)
assert safe(1) == 6 and record.trouble() == 1
unwanted = record.wrap(original, record.span("unwanted"), lambda *a: False)
assert unwanted(1) == 6

told = []
part = record.wrap(lambda: 1, record.span("part"), while_doing=6)
def descend(n):
    return down(n - 1) if n else part() / (not told)  # the second time by zero
down = record.wrap(descend, record.span("outermost"), None, lambda result, n: told.append(n), doing=2)
other = record.wrap(down, record.span("other"), doing=4)
assert part() == 1 and down(3) == 1 and told == [3]
try:
    other(2)
except ZeroDivisionError:
    part()
assert told == [3, 2]

class Data:
    flag = 5
    def __getitem__(self, index):
        if index == 7:
            raise IndexError
        return index
data = record.dataset(Data(), record.span_role(34, "Data", "here.py:1"))
assert data[3] == 3 and data.flag == 5 and isinstance(data, Data)
data["name"]
class Number:
    def __index__(self):
        return 11
data[Number()]
try:
    data[7]
except IndexError:
    pass
items = record.iterator(iter([1, 2]), record.span_role(34, "items"))
assert list(items) == [1, 2]

record.mark("here"); record.counter("loss", 1.5, "nat"); record.mark_role(4, "put")(0, 1, 3, 4)
record.fact("loader\\nordinal=0")
threads = [threading.Thread(target=fall, args=(2,)) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
for i in range(20000):  # names without end share one, behind the limit
    with record.span(f"name {i}"):
        pass
assert record.lost() == 0
record.session_stop()
with record.span("after"):
    assert original(1) == wrapped(1)
'''


@pytest.fixture(params=[sys.executable, *other_interpreters()], scope="module")
def recorded(request, inject, tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    subprocess.run([request.param, "-I", "-c", PROGRAM, inject, folder], check=True, timeout=120)
    (process,) = ring.Job(folder).processes
    return process


def named(process, name):
    return [span for span in process.spans if span.name == name]


def test_spans_nest_and_carry_their_type(recorded):
    (decode,), (inner,) = named(recorded, "decode"), named(recorded, "inner")
    assert decode.second == "io" and inner.parent is decode
    assert decode.begin <= inner.begin <= inner.end <= decode.end


def test_recursion_is_one_span_in_another(recorded):
    depths = [sum(1 for _ in ancestors(span)) for span in named(recorded, "recursion")]
    assert sorted(depths) == [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3]


def ancestors(span):
    while span.parent:
        span = span.parent
        yield span


def test_a_span_left_by_an_exception_says_so(recorded):
    assert [span.args for span in named(recorded, "fails")] == [{12: 1}]


def test_wrapped_calls_are_spans(recorded):
    assert len(named(recorded, "wrapped")) == 3
    assert len(named(recorded, "method")) == 1
    assert len(named(recorded, "many")) == 1
    assert len(named(recorded, "safe")) == 1
    assert not named(recorded, "unwanted")


def test_parts_of_what_a_thread_is_doing_are_told_from_the_whole(recorded):
    (first, second), (other,) = named(recorded, "outermost"), named(recorded, "other")
    assert second.parent is other
    assert [span.parent for span in named(recorded, "part")] == [first, second]


def test_samples_carry_their_index(recorded):
    samples = named(recorded, "Data")
    assert [span.args.get(5) for span in samples] == [3, None, 11, 7]
    assert samples[3].args[12] == 1
    assert recorded.names[samples[1].args[9]].text == "name"
    assert [span.args for span in named(recorded, "items")] == [{}, {}, {6: 0}]


def test_marks_counters_and_facts(recorded):
    assert [mark.name for mark in recorded.marks] == ["here", "put"]
    assert recorded.marks[1].args == {0: 1, 3: 4}
    assert recorded.counters == [("loss", 1.5)]
    assert recorded.facts == [{"kind": "loader", "ordinal": "0"}]


def test_names_have_a_limit(recorded):
    assert len(named(recorded, "(more names)")) > 1000
    assert len(recorded.names) < 17000


def test_nothing_is_recorded_behind_the_end(recorded):
    assert recorded.closed == 1 and recorded.lost == 0 and recorded.underflows == 0
    assert not named(recorded, "after")
    assert all(span.end is not None for span in recorded.spans)
