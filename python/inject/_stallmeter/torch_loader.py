"""torch.utils.data, seen from the process that iterates: ITERATE, NEXT, SAMPLER, PUT and ARRIVE.

Every hook is a C wrapper around one of torch's own functions, put into its class: it leaves no frame, and the loader's
attributes are not touched. What the hooks do for every batch is in C too, ext/py_loader.c. What a hook needs and torch
does not have (yet, or any more) is left out, and a fact says what is then estimated. docs/reaching.md lists the hooks.
"""

import os
import sys
import threading

from . import loaders, processes, record, torch_fetch, torch_transport
from .loaders import local
from .torch_hooks import GETTING, hook, name_of, where_of
from .vocabulary import ITERATE, KEY_ITERATION, KEY_LOADER, NEXT, SAMPLER

sampler_spans = {}  # ordinal of the loader -> span

DEFAULT_COLLATE = ("default_collate", "default_convert")


# ------------------------------------------------------------------------------------------------- settings

def start_method(loader):
    if not getattr(loader, "num_workers", 0):
        return None
    context = getattr(loader, "multiprocessing_context", None)
    if context is None:
        import multiprocessing as context
    return context.get_start_method()


def sampler_of(loader):
    """The sampler that draws; a batch sampler of torch's own is only its frame."""
    batches = getattr(loader, "batch_sampler", None)
    if batches is not None and type(batches).__module__.split(".")[0] != "torch":
        return batches
    return getattr(loader, "sampler", None)


def maker_of(dataset):
    """The data set whose code makes the samples: what stands under torch's own Subset, which only renumbers."""
    subset = sys.modules["torch.utils.data"].Subset
    while type(dataset) is subset:
        dataset = dataset.dataset
    return dataset


def settings_of(loader) -> dict:
    """What the report says of a loader, and what a change of settings is simulated from."""
    batches = getattr(loader, "batch_sampler", None)
    size = getattr(loader, "batch_size", None) or getattr(batches, "batch_size", None)
    kind = {0: "map", 1: "iterable"}.get(getattr(loader, "_dataset_kind", None))
    maker = type(maker_of(getattr(loader, "dataset", None)))
    return {
        "num_workers": getattr(loader, "num_workers", None),
        "batch_size": size if isinstance(size, int) else None,
        "prefetch_factor": getattr(loader, "prefetch_factor", None) if getattr(loader, "num_workers", 0) else None,
        "pin_memory": int(bool(getattr(loader, "pin_memory", False))),
        "persistent_workers": int(bool(getattr(loader, "persistent_workers", False))),
        "in_order": int(bool(getattr(loader, "in_order", True))),
        "start_method": start_method(loader),
        "dataset_kind": kind,
        "dataset": maker.__qualname__,
        "dataset_where": where_of(getattr(maker, "__getitem__" if kind == "map" else "__iter__", None)),
        "sampler": type(sampler_of(loader)).__qualname__,
        "sampler_where": where_of(getattr(type(sampler_of(loader)), "__iter__", None)),
        "collate": name_of(getattr(loader, "collate_fn", None)),
        "collate_where": where_of(getattr(loader, "collate_fn", None)),
    }


# --------------------------------------------------------------------------------------- making an iterator

def iterate_begins(iterator, loader, first_iter=False):
    building = getattr(local, "building", None)
    if building is not None and loaders.iterations.get(id(iterator)) is building:
        return False  # a part of what is already being recorded: __init__ calls _reset, and its base
    entry = loaders.find(loader, settings_of(loader))
    iteration = loaders.Iteration(entry)
    iteration.in_order = bool(getattr(loader, "in_order", True))
    iteration.sampler = sampler_span(loader, entry.ordinal)
    loaders.remember(loaders.iterations, iterator, iteration)
    local.building = iteration
    processes.say()
    return True


def iterate_ends(result, iterator, loader, first_iter=False):
    iteration = local.building
    local.building = None
    record.args(KEY_LOADER, iteration.loader.ordinal, KEY_ITERATION, iteration.number)
    iteration.parallel = hasattr(iterator, "_rcvd_idx")
    for index, worker in enumerate(getattr(iterator, "_workers", ())):
        say_worker(iteration, index, worker)


def say_worker(iteration, index, worker):
    lines = ["worker", f"loader={iteration.loader.ordinal}", f"iteration={iteration.number}", f"index={index}"]
    if isinstance(worker, threading.Thread):
        lines += [f"pid={os.getpid()}", f"tid={worker.native_id}"]
    else:
        lines += [f"pid={worker.pid}"]
    record.fact("\n".join(lines))


def sampler_span(loader, ordinal):
    if ordinal not in sampler_spans:
        sampler = sampler_that_draws(loader)
        draw = getattr(type(sampler), "__iter__", None)
        sampler_spans[ordinal] = record.span_role(SAMPLER, type(sampler).__qualname__, where_of(draw))
    return sampler_spans[ordinal]


def sampler_that_draws(loader):
    """As torch asks it, so that a batch sampler given for a sampler is not taken for what it draws from."""
    batches = getattr(loader, "_index_sampler", None)
    if type(batches).__module__.split(".")[0] == "torch":
        return getattr(batches, "sampler", batches)
    return batches


# ---------------------------------------------------------------------------------------------- installation

def estimated(what, why):
    record.fact(f"estimated\nwhat={what}\nwhy={why}")


def hook_iterators(module):
    iterate = record.span_role(ITERATE, "iterate")
    names = ("_BaseDataLoaderIter", "_SingleProcessDataLoaderIter", "_MultiProcessingDataLoaderIter")
    base, _, parallel = classes = [getattr(module, name, None) for name in names]
    for cls in filter(None, classes):
        hook(cls, "__init__", iterate, iterate_begins, iterate_ends)
    if base is None or not hook(base, "__next__", record.span_role(NEXT, "next"), record.next_begins, record.next_ends):
        estimated("wait", "torch has no _BaseDataLoaderIter.__next__")
        return
    if not hook(base, "_next_index", record.span_role(SAMPLER, "sampler"), record.sampler_begins, record.sampler_ends):
        estimated("sampler", "torch has no _BaseDataLoaderIter._next_index")
    if parallel is None:
        estimated("tasks", "torch has no _MultiProcessingDataLoaderIter")
        return
    hook(parallel, "_reset", iterate, iterate_begins, iterate_ends)
    for name, after, doing in (("_try_put_index", record.put_ends, 0), ("_try_get_data", record.get_ends, GETTING)):
        if not hook(parallel, name, None, None, after, doing):
            estimated("tasks", f"torch has no _MultiProcessingDataLoaderIter.{name}")


def install():
    data = sys.modules["torch.utils.data"]
    module = sys.modules.get("torch.utils.data.dataloader")
    if module is None:
        estimated("loader", "torch has no torch.utils.data.dataloader")
        return
    hook_iterators(module)
    torch_fetch.install(data, module)
    torch_transport.install(data, module)
