"""Copies of a DataLoader for trials: the same data set and functions, other settings, batches without end.

A copy is shallow: it is of the same class, shares data set, sampler, generator and functions with the original, and has
workers of its own. For a trial the order is our own, so that nothing is drawn from a sampler of the training: seeded random
places for torch's random sampler, places in order (going on where the last trial stopped) for its sequential one, a
copy of any other.
"""

import copy
import itertools

from .trials import torch_data

CHUNK = 4096  # places drawn at once
SEED = 20260101  # of the order of trials
SETTINGS = ("num_workers", "prefetch_factor", "pin_memory", "persistent_workers")


def settings_of(loader):
    """The settings that can be changed without a change of what the training gets."""
    workers = loader.num_workers
    return {
        "num_workers": workers,
        "prefetch_factor": loader.prefetch_factor if workers else None,
        "pin_memory": bool(loader.pin_memory),
        "persistent_workers": bool(loader.persistent_workers),
    }


def possible(settings):
    """The same settings where some make no sense together: without workers there is nothing to prefetch or keep."""
    if settings["num_workers"] == 0:
        return {**settings, "prefetch_factor": None, "persistent_workers": False}
    return {**settings, "prefetch_factor": settings["prefetch_factor"] or 2}  # 2: torch's own


def other(loader, settings, **attributes):
    """A copy with other settings. What DataLoader.__setattr__ protects is protected from users, not from its own class."""
    made = copy.copy(loader)
    attributes = {**possible({**settings_of(loader), **settings}), **attributes, "_iterator": None}
    if attributes["prefetch_factor"] is None:
        attributes["prefetch_factor"] = torch_data("a loader").DataLoader(range(1)).prefetch_factor  # 2 before torch 2
    vars(made).update(attributes)
    return made


class Epochs:
    """Index lists for trials. Passes end after as many batches as `lengths` says, those behind them never."""

    def __init__(self, lists, lengths=()):
        self.lists, self.lengths = lists, iter(lengths)

    def __iter__(self):
        yield from itertools.islice(self.lists, next(self.lengths, None))  # at the first draw: torch asks twice for an iterator


def endless(make):
    """Passes over what `make` makes, one behind the other; ends where one is empty."""
    while True:
        empty = True
        for item in make():
            empty = False
            yield item
        if empty:
            return


def random_places(count, seed):
    import torch

    generator = torch.Generator().manual_seed(seed)
    while True:
        yield from torch.randint(count, (CHUNK,), generator=generator).tolist()


def in_lists(places, size):
    while True:
        batch = list(itertools.islice(places, size))
        if len(batch) < size:
            return
        yield batch


def places_of(sampler, dataset, seed):
    """Indices without end in the way of a sampler, without a draw from it."""
    data = torch_data("a trial")
    if type(sampler) is data.SequentialSampler:
        return endless(lambda: range(len(dataset)))
    if type(sampler) is data.RandomSampler:
        return random_places(len(dataset), seed)
    own = copy.deepcopy(sampler)
    return endless(lambda: own)


def lists_of(loader, seed):
    """Index lists without end for a loader, or single indices where it does not collate. TypeError for a sampler that cannot
    be copied: to draw from it would change the training's order."""
    data = torch_data("a trial")
    try:
        if loader.batch_sampler is None:
            return places_of(loader.sampler, loader.dataset, seed)
        if type(loader.batch_sampler) is data.BatchSampler and loader.batch_size:
            return in_lists(places_of(loader.sampler, loader.dataset, seed), loader.batch_size)
        own = copy.deepcopy(loader.batch_sampler)
    except Exception as error:
        raise TypeError(f"loader: its sampler cannot be copied for a trial ({error})") from None
    return endless(lambda: own)


def for_trial(loader, settings, lists, lengths=()):
    """A copy whose batches are those of `lists`."""
    drawn = Epochs(lists, lengths)
    return other(loader, settings, **{"sampler" if loader.batch_sampler is None else "batch_sampler": drawn})


def has_in_order():
    """Whether this torch can deliver batches as they come."""
    return hasattr(torch_data("a loader").DataLoader(range(1)), "in_order")


def with_own_sampler(loader):
    """A copy that draws as the loader does, from torch's own samplers, whose generators the caller puts back, or from copies
    of others."""
    if is_torchs(loader.sampler) and (loader.batch_sampler is None or is_torchs(loader.batch_sampler)):
        return other(loader, {})
    name = "sampler" if loader.batch_sampler is None else "batch_sampler"
    return other(loader, {}, **{name: copy.deepcopy(getattr(loader, name))})


def is_torchs(sampler):
    return type(sampler).__module__.split(".")[0] == "torch"
