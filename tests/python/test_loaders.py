"""Loaders that are out of the ordinary: what is seen of each, and by what name."""

import importlib.util

import pytest

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not here", allow_module_level=True)

import sys

from conftest import inject_folder

sys.path.insert(0, str(inject_folder()))
from _stallmeter import vocabulary as v

PROGRAM = '''
import gc, inspect, sys, threading, torch
from torch.utils.data import BatchSampler, ConcatDataset, DataLoader, Dataset, RandomSampler, SequentialSampler, Subset
import stallmeter

class Items(Dataset):
    def __init__(self, size=8): self.size = size
    def __len__(self): return self.size
    def __getitem__(self, index): return torch.tensor(index if isinstance(index, int) else len(index))

class Named(Dataset):
    def __getitem__(self, key): return torch.zeros(1)
    def __len__(self): return 3

class Whole(Dataset):
    def __len__(self): return 8
    def __getitem__(self, index): return torch.tensor(index)
    def __getitems__(self, indices): return [torch.tensor(index) for index in indices]

class Slow(Items):
    def __getitem__(self, index):
        if index == 5: raise KeyError("mine")
        return torch.tensor(index)

def pass_over(loader):
    for batch in loader: pass

def in_function():
    inner_loader = DataLoader(Items(), batch_size=4)
    inner_loader_list = [inner_loader]
    for batch in inner_loader: pass

def reads_locals():
    before = locals()
    hidden_loader = DataLoader(Items(), batch_size=4)
    for batch in hidden_loader: pass
    assert list(before) == [], "our look at a frame brought a dict of the program's up to date"

def holds_nothing():
    """What a frame held once is gone when the frame lets go of it, though its loader was asked for its name."""
    class Big: pass
    big = Big()
    import weakref
    alive = weakref.ref(big)
    freeing_loader = DataLoader(Items(), batch_size=4)
    for batch in freeing_loader:
        big = None
        gc.collect()
        assert alive() is None

class Trainer:
    def __init__(self): self.val_loader = DataLoader(Items(), batch_size=4)
    def fit(self):
        for batch in self.val_loader: pass

def main():
    pass_over(train_loader)
    for epoch in range(2):
        pass_over(DataLoader(Items(), batch_size=4))
    Trainer().fit()
    loaders = {"test": DataLoader(Items(), batch_size=4)}
    for loader in loaders.values(): pass_over(loader)
    in_function(); reads_locals(); holds_nothing()
    trainloader = DataLoader(Subset(Items(), [5, 3, 1]), batch_size=2)
    pass_over(trainloader)
    nested_dl = DataLoader(Subset(Subset(Items(), [5, 3, 1]), [2, 0]), batch_size=2)
    pass_over(nested_dl)
    whole_loader = DataLoader(Whole(), batch_size=4); pass_over(whole_loader)
    whole_part_loader = DataLoader(Subset(Whole(), [1, 2]), batch_size=2); pass_over(whole_part_loader)
    many_loader = DataLoader(ConcatDataset([Items(), Items()]), batch_size=4); pass_over(many_loader)
    keyed_loader = DataLoader(Named(), batch_size=1, sampler=["a/b.jpg", "scene", ("c", 3)]); pass_over(keyed_loader)
    lists_loader = DataLoader(Items(), batch_size=None, sampler=BatchSampler(SequentialSampler(range(8)), 4, False)); pass_over(lists_loader)
    broken_loader = DataLoader(Slow(), batch_size=4)
    try: pass_over(broken_loader)
    except KeyError: pass
    a_loader, b_loader = DataLoader(Items(), batch_size=4, num_workers=1), DataLoader(Items(), batch_size=2, num_workers=1)
    for one, other in zip(a_loader, b_loader): pass
    left_loader = DataLoader(Items(), batch_size=2)
    for batch in left_loader: break
    thread_loader = DataLoader(Items(), batch_size=3)
    thread = threading.Thread(target=pass_over, args=(thread_loader,)); thread.start(); thread.join()
    plain = stallmeter.wrap([torch.zeros(4, 2), torch.zeros(3, 2)], name="mine")
    assert len(plain) == 2 and plain[1].shape == (3, 2)
    pass_over(plain)
    assert stallmeter.wrap(train_loader) is train_loader
    explicit = stallmeter.wrap(DataLoader(Items(), batch_size=4), name="told"); pass_over(explicit)
    if "in_order" in inspect.signature(DataLoader).parameters:
        unordered_loader = DataLoader(Items(), batch_size=1, num_workers=2, in_order=False)
        assert sorted(batch.item() for batch in unordered_loader) == list(range(8))
    print("trouble", stallmeter._record.trouble())

train_loader = DataLoader(Items(), batch_size=4)
main()
'''


@pytest.fixture(scope="module")
def job(tmp_path_factory, inject):
    import os
    import subprocess

    import ring

    folder = tmp_path_factory.mktemp("loaders")
    (folder / "train.py").write_text(PROGRAM)
    (folder / "live").mkdir()
    package = inject.parent if (inject.parent / "stallmeter").is_dir() else inject.parents[1]
    environment = {**os.environ, "STALLMETER_LIVE": str(folder / "live"), "PYTHONPATH": f"{inject}:{package}"}
    done = subprocess.run([sys.executable, "-W", "error", "train.py"], cwd=folder, env=environment, capture_output=True, text=True,
                          timeout=240)
    assert (done.returncode, done.stdout) == (0, "trouble 0\n"), done.stderr
    return ring.Job(folder / "live")


def ordinal(job, name):
    return next(int(fact["ordinal"]) for fact in job.facts("loader") if fact["name"] == name)


def spans(job, name, role):
    number = ordinal(job, name)
    return [span for span in job.main.spans if span.role == role and span.args.get(v.KEY_LOADER) == number]


def samples(job, name):
    inside = set(map(id, spans(job, name, v.NEXT)))
    return [span for span in job.main.spans
            if span.role == v.SAMPLE and span.parent.parent is not None and id(span.parent.parent) in inside]


@pytest.mark.parametrize("name", ["train", "val", "test", "inner", "freeing", "train-2", "whole", "many", "a", "b",
                                  "mine", "told"])
def test_loaders_are_named_as_in_the_code(job, name):
    assert spans(job, name, v.NEXT)


def test_every_loader_has_a_name_of_its_own(job):
    named = {(fact["ordinal"], fact["name"]) for fact in job.main.facts if fact["kind"] == "loader"}
    assert len({name for _, name in named}) == len(named) == len({number for number, _ in named})


def test_a_loader_made_anew_each_epoch_is_one_loader(job):
    assert [span.args[v.KEY_ITERATION] for span in spans(job, "loader", v.ITERATE)] == [0, 1]


def test_a_subset_shows_its_samples_by_the_index_of_what_is_under_it(job):
    assert [span.args[v.KEY_INDEX] for span in samples(job, "train-2")] == [5, 3, 1]
    assert [span.args[v.KEY_INDEX] for span in samples(job, "nested")] == [1, 5]


def test_samples_that_come_in_batches_are_unknown_and_said_to_be(job):
    unknown = {int(fact["loader"]): fact["why"] for fact in job.facts("samples_unknown")}
    from torch.utils.data import Subset

    parts = {"whole", "whole_part"} if hasattr(Subset, "__getitems__") else {"whole"}
    assert set(unknown) == {ordinal(job, name) for name in parts}
    assert "Whole has __getitems__" in unknown[ordinal(job, "whole")]
    assert not samples(job, "whole")
    assert [span.args[v.KEY_COUNT] for span in spans(job, "whole", v.NEXT)[:-1]] == [4, 4]


def test_an_index_that_is_no_number_is_kept_as_text_for_slow_samples(job):
    keyed = samples(job, "keyed")
    assert len(keyed) == 3 and not any(v.KEY_INDEX in span.args for span in keyed)
    assert job.main.names[keyed[0].args[v.KEY_INDEX_TEXT]].text == "a/b.jpg"


def test_an_index_that_is_a_list_is_one_sample(job):
    assert [span.args for span in samples(job, "lists")] == [{}, {}]


def test_an_exception_is_noted_on_every_span_it_leaves(job):
    failed = [span.role for span in job.main.spans if v.KEY_FAILED in span.args]
    assert sorted(failed) == sorted([v.NEXT, v.BATCH, v.SAMPLE])
    assert spans(job, "broken", v.NEXT)[-1].args.keys() == {v.KEY_LOADER, v.KEY_ITERATION, v.KEY_FAILED}


def test_two_loaders_at_once_are_never_confused(job):
    for name, count in (("a", 4), ("b", 2)):
        asked = [span.args for span in spans(job, name, v.NEXT) if v.KEY_TASK in span.args]
        assert [args[v.KEY_TASK] for args in asked] == list(range(len(asked)))
        assert {args[v.KEY_COUNT] for args in asked} == {count}
        workers = [fact for fact in job.main.facts if fact["kind"] == "worker" and int(fact["loader"]) == ordinal(job, name)]
        (process,) = [process for process in job.workers if str(process.pid) == workers[0]["pid"]]
        marks = [mark for mark in process.marks if mark.role == v.FETCHER]
        assert [mark.args[v.KEY_LOADER] for mark in marks] == [ordinal(job, name)]


def test_a_background_thread_asks_on_its_own_track(job):
    (there,) = {span.args[v.KEY_LOADER] for span in job.main.spans if span.role == v.NEXT and span.tid != job.main.pid}
    assert there == ordinal(job, "loader-2")  # in that thread it is only known as a parameter called `loader`
    assert len(spans(job, "loader-2", v.NEXT)) == 4


def test_a_loader_that_is_not_torchs(job):
    asked = spans(job, "mine", v.NEXT)
    assert [(span.args.get(v.KEY_TASK), span.args.get(v.KEY_COUNT)) for span in asked] == [(0, 4), (1, 3), (None, None)]
    assert len(spans(job, "mine", v.ITERATE)) == 1


def test_batches_out_of_order_carry_the_task_they_are(job):
    if not any(fact["name"] == "unordered" for fact in job.facts("loader")):
        pytest.skip("this torch delivers in order only")
    asked = [span.args[v.KEY_TASK] for span in spans(job, "unordered", v.NEXT) if v.KEY_TASK in span.args]
    arrived = [mark.args[v.KEY_TASK] for mark in job.main.marks
               if mark.role == v.ARRIVE and mark.args[v.KEY_LOADER] == ordinal(job, "unordered")]
    assert asked == arrived and sorted(asked) == list(range(8))


def test_every_way_of_asking_is_complete(job):
    assert job.main.underflows == 0 and not [span for span in job.main.spans if span.end is None]
