"""Loaders that are not torch's: anything that can be iterated, in the hands of `stallmeter.wrap`."""

import sys

from . import device, loaders, processes, record
from .vocabulary import ITERATE, KEY_COUNT, KEY_ITERATION, KEY_LOADER, KEY_TASK, NEXT

iterate = record.span_role(ITERATE, "iterate")
request = record.span_role(NEXT, "next")


def is_torch(loader) -> bool:
    data = sys.modules.get("torch.utils.data")
    return data is not None and isinstance(loader, data.DataLoader)


def wrap(loader, name=None):
    if not hasattr(loader, "__iter__") and not hasattr(loader, "__getitem__"):
        raise TypeError(f"loader must be iterable, not {type(loader).__name__}")
    if name is not None and not isinstance(name, str):
        raise TypeError(f"name must be str, not {type(name).__name__}")
    if is_torch(loader):
        if name is not None and record.session_is_open():
            from . import torch_loader

            loaders.find(loader, torch_loader.settings_of(loader), name=name)
        return loader
    return PlainLoader(loader, name)


class PlainLoader:
    """Stands for the loader; iterating it records ITERATE and NEXT."""

    def __init__(self, loader, name):
        object.__setattr__(self, "_loader", loader)
        object.__setattr__(self, "_name", name)

    def __iter__(self):
        loader = self._loader
        if not record.session_is_open():
            return iter(loader)
        settings = {"dataset_kind": "iterable", "dataset": type(loader).__qualname__}
        entry = loaders.find(loader, settings, depth=1, name=self._name)
        iteration = loaders.Iteration(entry)
        processes.say()
        with iterate:
            record.args(KEY_LOADER, entry.ordinal, KEY_ITERATION, iteration.number)
            return PlainIterator(iter(loader), iteration)

    def __next__(self):
        return next(self._loader)

    def __len__(self):
        return len(self._loader)

    def __getitem__(self, index):
        return self._loader[index]

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def __setattr__(self, name, value):
        setattr(self._loader, name, value)

    def __repr__(self):
        return repr(self._loader)


class PlainIterator:
    def __init__(self, iterator, iteration):
        self._iterator = iterator
        self._iteration = iteration

    def __iter__(self):
        return self

    def __next__(self):
        iteration = self._iteration
        device.requested()
        with request:
            record.args(KEY_LOADER, iteration.loader.ordinal, KEY_ITERATION, iteration.number)
            try:
                batch = next(self._iterator)
            except StopIteration:
                batch = record.FAILED
            else:
                record.args(KEY_TASK, iteration.yielded, KEY_COUNT, samples_in(batch))
                device.delivered(iteration.loader.ordinal, iteration.number, iteration.yielded)
                iteration.yielded += 1
        if batch is record.FAILED:
            raise StopIteration
        return batch

    def __getattr__(self, name):
        return getattr(self._iterator, name)


def samples_in(batch) -> int:
    """The length of the first array in a batch; 1 where there is none."""
    for _ in range(4):
        shape = getattr(batch, "shape", None)
        if shape is not None:
            return int(shape[0]) if len(shape) else 1
        if isinstance(batch, dict) and batch:
            batch = next(iter(batch.values()))
        elif isinstance(batch, (list, tuple)) and batch:
            if not hasattr(batch[0], "shape"):
                return len(batch)
            batch = batch[0]
    return 1
