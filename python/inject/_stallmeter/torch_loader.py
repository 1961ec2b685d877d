"""torch.utils.data, seen from the process that iterates: ITERATE, NEXT, SAMPLER, PUT and ARRIVE.

Every hook is a C wrapper around one of torch's own functions, put into its class: it leaves no frame, and the loader's
attributes are not touched. What a hook needs and torch does not have (yet, or any more) is left out, and a fact says
what is then estimated. docs/reaching.md lists the hooks.
"""

import os
import sys
import threading

from . import device, loaders, processes, record, torch_fetch, torch_transport
from .loaders import local
from .torch_hooks import GETTING, hook, name_of, where_of
from .vocabulary import ARRIVE, ITERATE, KEY_COUNT, KEY_ITERATION, KEY_LOADER, KEY_TASK, KEY_WORKER, NEXT, PUT, SAMPLER

args = record.args
put = record.mark_role(PUT, "put")
arrive = record.mark_role(ARRIVE, "arrive")
sampler_spans = {}

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
    loaders.remember(loaders.iterations, iterator, iteration)
    local.building = iteration
    processes.say()
    return True


def iterate_ends(result, iterator, loader, first_iter=False):
    iteration = local.building
    local.building = None
    args(KEY_LOADER, iteration.loader.ordinal, KEY_ITERATION, iteration.number)
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


# ------------------------------------------------------------------------------------------------- one batch

def task_of(iterator, iteration) -> int:
    """torch's number of the batch that __next__ is about to return."""
    if not iteration.parallel:
        return iteration.yielded
    return iterator._rcvd_idx - 1 if iteration.in_order else iteration.arrived


def next_begins(iterator):
    if device.known["device"] is not None:
        device.requested()


def next_ends(result, iterator):
    iteration = loaders.iterations.get(id(iterator))
    if iteration is None:
        return
    if result is record.FAILED:
        args(KEY_LOADER, iteration.loader.ordinal, KEY_ITERATION, iteration.number)
        return
    task = task_of(iterator, iteration)
    count = iteration.counts.pop(task, 0) if iteration.parallel else iteration.next_count
    iteration.yielded += 1
    args(KEY_LOADER, iteration.loader.ordinal, KEY_ITERATION, iteration.number, KEY_TASK, task, KEY_COUNT, count)
    if device.known["device"] is not None:
        device.delivered(iteration.loader.ordinal, iteration.number, task)


def sampler_begins(iterator):
    iteration = loaders.iterations.get(id(iterator))
    return iteration is not None and (sampler_spans.get(iteration.loader.ordinal) or sampler_span(iterator, iteration))


def sampler_span(iterator, iteration):
    sampler = sampler_of_iterator(iterator)
    draw = getattr(type(sampler), "__iter__", None)
    span = record.span_role(SAMPLER, type(sampler).__qualname__, where_of(draw))
    sampler_spans[iteration.loader.ordinal] = span
    return span


def sampler_of_iterator(iterator):
    batches = getattr(iterator, "_index_sampler", None)
    if type(batches).__module__.split(".")[0] == "torch":
        return getattr(batches, "sampler", batches)
    return batches


def sampler_ends(indices, iterator):
    iteration = loaders.iterations[id(iterator)]
    if indices is record.FAILED:  # the sampler had ended
        args(KEY_LOADER, iteration.loader.ordinal, KEY_COUNT, 0)
        return
    args(KEY_LOADER, iteration.loader.ordinal)
    iteration.next_count = len(indices) if isinstance(indices, (list, tuple)) else 1


def put_ends(result, iterator):
    iteration = loaders.iterations.get(id(iterator))
    sent = iterator._send_idx
    if iteration is None or sent == 0:
        return
    if iteration.sent >= sent:
        return
    task = sent - 1
    iteration.sent = sent
    iteration.counts[task] = iteration.next_count
    worker = iterator._task_info[task][0]
    put(KEY_LOADER, iteration.loader.ordinal, KEY_ITERATION, iteration.number, KEY_TASK, task, KEY_WORKER, worker)


def get_ends(result, iterator, timeout=None):
    iteration = loaders.iterations.get(id(iterator))
    if result is record.FAILED or not result[0] or iteration is None:
        return
    task, data = result[1]
    if type(task) is int and type(data).__name__ != "_IterableDatasetStopIteration":
        iteration.arrived = task
        arrive(KEY_LOADER, iteration.loader.ordinal, KEY_ITERATION, iteration.number, KEY_TASK, task)


# ---------------------------------------------------------------------------------------------- installation

def estimated(what, why):
    record.fact(f"estimated\nwhat={what}\nwhy={why}")


def hook_iterators(module):
    iterate = record.span_role(ITERATE, "iterate")
    names = ("_BaseDataLoaderIter", "_SingleProcessDataLoaderIter", "_MultiProcessingDataLoaderIter")
    base, _, parallel = classes = [getattr(module, name, None) for name in names]
    for cls in filter(None, classes):
        hook(cls, "__init__", iterate, iterate_begins, iterate_ends)
    if base is None or not hook(base, "__next__", record.span_role(NEXT, "next"), next_begins, next_ends):
        estimated("wait", "torch has no _BaseDataLoaderIter.__next__")
        return
    if not hook(base, "_next_index", record.span_role(SAMPLER, "sampler"), sampler_begins, sampler_ends):
        estimated("sampler", "torch has no _BaseDataLoaderIter._next_index")
    if parallel is None:
        estimated("tasks", "torch has no _MultiProcessingDataLoaderIter")
        return
    hook(parallel, "_reset", iterate, iterate_begins, iterate_ends)
    for name, after, doing in (("_try_put_index", put_ends, 0), ("_try_get_data", get_ends, GETTING)):
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
