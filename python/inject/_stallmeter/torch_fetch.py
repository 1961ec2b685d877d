"""Where the data set runs: FETCHER, BATCH, SAMPLE and COLLATE, in a worker or, at num_workers=0, in the main process.

torch makes one private object per worker and iteration, the fetcher. What *it* holds is replaced by stand-ins in C; the
data set and the collate function that the user has are not touched, and neither is what they see of each other.
"""

import os
import sys

from . import processes, record, torch_transforms, torch_transport
from .loaders import local
from .torch_hooks import hook, name_of, where_of
from .vocabulary import BATCH, COLLATE, FETCHER, KEY_LOADER, KEY_WORKER, SAMPLE

fetcher_made = record.mark_role(FETCHER, "fetcher")
batch_span = record.span_role(BATCH, "batch")
spans = {}  # (role, text, where) -> span


def span_of(role, text, where):
    key = (role, text, where)
    if key not in spans:
        spans[key] = record.span_role(role, text, where)
    return spans[key]


def worker_index() -> int:
    """Of the worker that runs here, process or thread; -1 in the main process."""
    info = sys.modules["torch.utils.data"].get_worker_info()
    return -1 if info is None else info.id


def fetcher_ends(fetcher, kind, dataset, auto_collation, collate_fn, drop_last):
    if fetcher is record.FAILED:
        return None
    worker = worker_index()
    if worker >= 0:
        note_worker()
    loader = getattr(local, "building", None)
    numbers = [KEY_LOADER, loader.loader.ordinal] if loader is not None else []
    fetcher_made(*numbers, *([KEY_WORKER, worker] if worker >= 0 else []))
    level = os.environ.get("STALLMETER_LEVEL", "detailed")
    if level in ("detailed", "comprehensive"):
        torch_transforms.install(dataset)
    if level != "basic":
        stand_in_for_dataset(fetcher, loader)
    stand_in_for_collate(fetcher)
    return record.fetcher(fetcher, batch_span, worker)


def note_worker():
    method = getattr(sys.modules["torch.utils.data"].get_worker_info(), "worker_method", None)
    if method != "thread":
        torch_transport.here["worker"] = True
        processes.say("worker")


def stand_in_for_collate(fetcher):
    collate = fetcher.collate_fn
    if collate is not None and not record.is_wrapped(collate):
        fetcher.collate_fn = record.wrap(collate, span_of(COLLATE, name_of(collate), where_of(collate)))


# ------------------------------------------------------------------------------------------------- data sets

def stand_in_for_dataset(fetcher, loader):
    if hasattr(fetcher, "dataset_iter"):
        iterator = fetcher.dataset_iter
        cls = type(fetcher.dataset)
        span = span_of(SAMPLE, cls.__qualname__, where_of(getattr(cls, "__iter__", None)))
        fetcher.dataset_iter = record.iterator(iterator, span)
        return
    fetcher.dataset, unknown = shadow(fetcher.dataset)
    if unknown:
        ordinal = f"\nloader={loader.loader.ordinal}" if loader is not None else ""
        record.fact(f"samples_unknown{ordinal}\nwhy={unknown} has __getitems__, which takes a whole batch")


def shadow(dataset, one_by_one=False):
    """What the fetcher is to hold, and the name of the class that hides its samples (or None).

    A data set with `__getitems__` is asked for whole batches. torch's own Subset only passes the question on: a second
    Subset over the same indices, with a stand-in for the data set under it, asks as the first would, and shows the samples
    by the index of what is under it. (Subset has no `__getitems__` before torch 2: there it always asks one by one.)
    """
    cls = type(dataset)
    whole = bool(getattr(dataset, "__getitems__", None)) and not one_by_one
    subset = sys.modules["torch.utils.data"].Subset
    if cls is subset:
        inner, unknown = shadow(dataset.dataset, not whole)
        outer = subset.__new__(subset)
        outer.__dict__.update(dataset.__dict__)
        outer.dataset = inner
        return outer, unknown
    if whole:
        return dataset, cls.__qualname__
    span = span_of(SAMPLE, cls.__qualname__, where_of(getattr(cls, "__getitem__", None)))
    return record.dataset(dataset, span), None


def install(data, module):
    kind = getattr(module, "_DatasetKind", None)
    if kind is None or not hook(kind, "create_fetcher", None, None, fetcher_ends):
        record.fact("estimated\nwhat=workers\nwhy=torch has no _DatasetKind.create_fetcher")
