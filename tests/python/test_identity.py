"""A program does to the letter the same with us and without us."""

import importlib.util
import json

import pytest

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not here", allow_module_level=True)

PROGRAM = '''
import functools, gc, hashlib, inspect, io, json, os, pickle, random, signal, sys, threading, traceback, warnings
import numpy as np
import torch
from torch import nn
from torch.utils.data import BatchSampler, DataLoader, Dataset, IterableDataset, RandomSampler, Subset, get_worker_info, random_split

torch.set_num_threads(1)
gc.disable()  # its moments depend on how much was allocated, and by whom
seen = {}
def note(key, value):
    assert key not in seen, key
    seen[key] = value

def digest(thing):
    buffer = io.BytesIO()
    torch.save(thing, buffer)
    return hashlib.sha256(pickle.dumps(flat(thing))).hexdigest()

def flat(thing):
    if isinstance(thing, torch.Tensor):
        return (str(thing.dtype), tuple(thing.shape), thing.numpy().tobytes())
    if isinstance(thing, dict):
        return {key: flat(value) for key, value in thing.items()}
    return [flat(value) for value in thing] if isinstance(thing, (list, tuple)) else thing

def random_state():
    parts = (random.getstate(), np.random.get_state()[1].tobytes(), torch.get_rng_state().numpy().tobytes())
    return hashlib.sha256(pickle.dumps(parts)).hexdigest()

class Compose:
    def __init__(self, transforms): self.transforms = transforms
    def __call__(self, x):
        for transform in self.transforms:
            x = transform(x)
        return x
    def __repr__(self): return f"Compose({self.transforms!r})"

class Jitter:
    def __call__(self, x): return x + random.random() + float(np.random.rand())

class Noise(nn.Module):
    def forward(self, x): return x + torch.rand(()) if self.training else x

def double(x): return x * 2

class Images(Dataset):
    def __init__(self, size=24): self.size, self.transform = size, Compose([double, Jitter(), Noise(), double])
    def __len__(self): return self.size
    def __getitem__(self, index):
        return {"x": self.transform(torch.full((3,), float(index))), "y": index % 2, "path": f"{index}.jpg"}

class Stream(IterableDataset):
    def __len__(self): return 6
    def __iter__(self):
        info = get_worker_info()
        for index in range(8): yield torch.rand(2) + (info.id if info else 9)

class Whole(Dataset):
    def __len__(self): return 12
    def __getitem__(self, index): raise AssertionError
    def __getitems__(self, indices): return [torch.rand(1) + index for index in indices]

class Fails(Dataset):
    def __len__(self): return 8
    def __getitem__(self, index):
        if index == 5:
            raise KeyError(f"no sample {index}")
        return index

class Warns(Dataset):
    def __len__(self): return 2
    def __getitem__(self, index):
        warnings.warn("from the data set")
        warnings.warn("from who asked for the sample", stacklevel=2)
        return index

def bad_collate(samples): raise ZeroDivisionError("collate")
def init_worker(seed, index): random.seed(seed + index); np.random.seed(seed + index)

def loaders():
    generator = torch.Generator()
    generator.manual_seed(5)
    yield "here", DataLoader(Images(), batch_size=5, shuffle=True)
    yield "own generator", DataLoader(Images(), batch_size=5, shuffle=True, generator=generator)
    yield "forked", DataLoader(Images(), batch_size=5, shuffle=True, num_workers=2)
    yield "kept", DataLoader(Images(), batch_size=5, shuffle=True, num_workers=2, persistent_workers=True)
    yield "seeded", DataLoader(Images(), batch_size=4, num_workers=2, worker_init_fn=functools.partial(init_worker, 7))
    yield "stream", DataLoader(Stream(), batch_size=3)
    yield "streams", DataLoader(Stream(), batch_size=3, num_workers=2)
    yield "subset", DataLoader(Subset(Images(), [3, 1, 2, 8]), batch_size=2, num_workers=1)
    yield "split", DataLoader(random_split(Images(), [20, 4])[0], batch_size=6)
    yield "whole", DataLoader(Whole(), batch_size=4)
    yield "batches", DataLoader(Images(), batch_sampler=BatchSampler(RandomSampler(Images()), 4, True))
    yield "no batches", DataLoader(Images(), batch_size=None, sampler=[3, 1])
    yield "collate", DataLoader(Images(), batch_size=4, collate_fn=lambda samples: len(samples))

class Leaf:
    pass

def observe_loader(name, loader):
    keys, dataset, members = sorted(vars(loader)), loader.dataset, None
    compose = getattr(dataset, "transform", None)
    if compose is not None:
        members = list(compose.transforms)
        note(f"{name} repr", repr(compose).replace(hex(id(members[0]))[2:], "").split(" at 0x")[0])
    try:
        before = pickle.dumps(loader)
    except Exception as error:
        before = repr(type(error))
    for epoch in range(2):
        torch.manual_seed(epoch); random.seed(epoch); np.random.seed(epoch)
        note(f"{name} {epoch} batches", [digest(batch) for batch in loader])
        note(f"{name} {epoch} random", random_state())
    if compose is not None:
        assert all(now is then for now, then in zip(compose.transforms, members)) and dataset.transform is compose
    assert loader.dataset is dataset and sorted(vars(loader)) == keys
    if name not in ("kept", "own generator"):  # an iterator and a torch.Generator pickle differently each time
        try:
            after = pickle.dumps(loader)
        except Exception as error:
            after = repr(type(error))
        note(f"{name} pickle unchanged by iterating", before == after)
        note(f"{name} pickle", hashlib.sha256(before if isinstance(before, bytes) else before.encode()).hexdigest())
    note(f"{name} init", repr(loader.worker_init_fn)[:20])

def failure(name, loader):
    try:
        for batch in loader:
            pass
    except Exception as error:
        note(f"{name} type", type(error).__name__)
        note(f"{name} traceback", "".join(traceback.format_exception(type(error), error, error.__traceback__)))
    gc.collect()  # else torch's iterator ends when the collector comes by, in whatever process that is

def warned(name, loader):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for batch in loader:
            pass
    note(name, [(str(w.message)[:60], w.category.__name__, w.filename, w.lineno) for w in caught])

def trains():
    torch.manual_seed(3)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
    for kind in (torch.optim.SGD, torch.optim.Adam):
        optimizer = kind(model.parameters(), lr=0.1)
        scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 1, 0.5)
        losses = []
        for batch in DataLoader(Images(), batch_size=6, shuffle=True, num_workers=1):
            loss = model(batch["x"]).pow(2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        scheduler.step()
        note(f"{kind.__name__} losses", losses)
        note(f"{kind.__name__} step", (kind.step.__name__, kind.step.__qualname__, inspect.isfunction(kind.step), type(optimizer.step).__name__, optimizer.step.__name__))
        note(f"{kind.__name__} pickle", hashlib.sha256(pickle.dumps(optimizer.state_dict()["param_groups"])).hexdigest())
        pickle.loads(pickle.dumps(optimizer))

def scripts():
    """What reads source and code objects of classes that were wrapped."""
    note("scripted", torch.jit.script(nn.Sequential(Noise())).eval()(torch.ones(2)).tolist())
    note("source", (inspect.getsource(Jitter.__call__), str(inspect.signature(Jitter.__call__)), inspect.getsource(type(DataLoader([1])).__iter__)[:40]))
    note("pickled method", hashlib.sha256(pickle.dumps((Jitter.__call__, Compose, torch.autograd.backward))).hexdigest())

def process():
    note("path", sys.path)
    note("threads", sorted(thread.name.split("-")[0] for thread in threading.enumerate()))
    note("handlers", {number: str(signal.getsignal(number)).split(" at 0x")[0] for number in range(1, 32)})
    gc.collect()
    files = [os.path.realpath(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")]
    note("files", sorted(file for file in files if not file.endswith(".ring") and "/proc/" not in file and "pipe:" not in file))
    note("children", open(f"/proc/self/task/{os.getpid()}/children").read().split())
    note("modules", [name for name in ("ctypes", "logging", "sitecustomize.py") if name in sys.modules])

def main():
    for name, loader in loaders():
        observe_loader(name, loader)
    failure("fails here", DataLoader(Fails(), batch_size=2))
    failure("fails there", DataLoader(Fails(), batch_size=2, num_workers=1))
    failure("collate here", DataLoader(Images(), batch_size=2, collate_fn=bad_collate))
    failure("collate there", DataLoader(Images(), batch_size=2, collate_fn=bad_collate, num_workers=1))
    failure("wrong index", DataLoader(Images(), batch_size=2, sampler=["a"]))
    warned("warns", DataLoader(Warns(), batch_size=2))
    warned("too long", DataLoader(Stream(), batch_size=1))
    warned("pinned", DataLoader(Images(), batch_size=12, pin_memory=True))
    trains()
    scripts()
    process()
    print(json.dumps(seen))
    print("a line for people", file=sys.stderr)
    sys.exit(7)

if __name__ == "__main__":
    main()
'''


@pytest.fixture(scope="module")
def both(tmp_path_factory, inject):
    """The program's own account and streams: without us, and with."""
    import os
    import subprocess
    import sys

    folder = tmp_path_factory.mktemp("identity")
    (folder / "train.py").write_text(PROGRAM)
    (folder / "live").mkdir()
    plain = {key: value for key, value in os.environ.items() if not key.startswith("STALLMETER") and key != "PYTHONPATH"}
    ours = {**plain, "STALLMETER_LIVE": str(folder / "live"), "PYTHONPATH": str(inject)}
    done = []
    for environment in (plain, ours):
        done.append(subprocess.run([sys.executable, "train.py"], cwd=folder, env=environment, capture_output=True, text=True,
                                   timeout=300))
        assert done[-1].returncode == 7, done[-1].stderr[-3000:]
    assert len(list((folder / "live").glob("*.ring"))) > 5, "nothing was recorded: this comparison says nothing"
    return done


KEYS = ["batches", "random", "repr", "pickle", "init", "type", "traceback", "losses", "step"]


@pytest.mark.parametrize("part", KEYS)
def test_part_is_the_same(both, part):
    without, with_us = (json.loads(done.stdout) for done in both)
    keys = [key for key in without if part in key.split()]
    assert keys
    for key in keys:
        assert with_us[key] == without[key], key


def test_whole_account_is_the_same(both):
    without, with_us = (json.loads(done.stdout) for done in both)
    assert with_us == without
    assert len(without) > 90


def test_streams_are_the_same(both):
    without, with_us = both
    assert with_us.stderr == without.stderr
    assert "a line for people" in without.stderr


def test_a_worker_that_dies_is_told_as_always(run):
    program = '''
import os, torch
from torch.utils.data import DataLoader
class Dies(torch.utils.data.Dataset):
    def __len__(self): return 4
    def __getitem__(self, index): os._exit(3)
if __name__ == "__main__":
    try:
        list(DataLoader(Dies(), num_workers=1))
    except RuntimeError as error:
        print(str(error).split("(")[0])
'''
    assert run(program).out == run(program, observed=False).out


@pytest.mark.parametrize("end", ["raise SystemExit(3)", "import os; os._exit(4)", "raise ValueError('x')",
                                 "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"])
def test_exit_codes_are_the_same(run, end):
    program = f"import torch.utils.data as d\nlist(d.DataLoader([1, 2, 3]))\n{end}\n"
    with_us, without = run(program, expect=None), run(program, observed=False, expect=None)
    assert (with_us.code, with_us.out, with_us.err) == (without.code, without.out, without.err)
    assert with_us.code != 0
