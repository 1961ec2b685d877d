"""What a DataLoadingProfiler tries: the arguments it was given, checked, and the configurations they span."""

import itertools
import multiprocessing.reduction
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from . import trial_loaders
from .trials import torch_data

#: arguments of DataLoader that go to every configuration as they are
PASSED = ("collate_fn", "sampler", "batch_sampler", "shuffle", "drop_last", "timeout", "worker_init_fn", "generator",
          "pin_memory_device")
#: settings of which several values may be given, and what is tried without any
VARIED = {"prefetch_factor": None, "pin_memory": False, "persistent_workers": False, "in_order": None,
          "multiprocessing_context": None}


@dataclass(frozen=True)
class Configuration:
    """One set of DataLoader settings. None: the data loader's own (of a batch sampler, for the batch size)."""

    batch_size: "int | None"
    num_workers: int
    prefetch_factor: "int | None" = None
    pin_memory: bool = False
    persistent_workers: bool = False
    in_order: "bool | None" = None
    multiprocessing_context: "str | None" = None

    def arguments(self):
        """As keywords for DataLoader: what is as torch has it by itself is left out."""
        given = {"batch_size": self.batch_size, "num_workers": self.num_workers, "prefetch_factor": self.prefetch_factor,
                 "pin_memory": self.pin_memory or None, "persistent_workers": self.persistent_workers or None,
                 "in_order": self.in_order, "multiprocessing_context": self.multiprocessing_context}
        return {key: value for key, value in given.items() if value is not None}

    def __str__(self):
        words = [f"batch_size={self.batch_size}" if self.batch_size is not None else "", f"num_workers={self.num_workers}",
                 f"prefetch_factor={self.prefetch_factor}" if self.prefetch_factor is not None else "",
                 "pin_memory" if self.pin_memory else "", "persistent_workers" if self.persistent_workers else "",
                 "" if self.in_order is None else f"in_order={self.in_order}", self.multiprocessing_context or ""]
        return " ".join(filter(None, words))


# ------------------------------------------------------------------------------------------------- what was given

def check_dataset(dataset):
    """True for a map-style data set, False for an iterable one; TypeError or ValueError for what is neither."""
    data = torch_data("DataLoadingProfiler")
    name = type(dataset).__name__
    if isinstance(dataset, data.DataLoader):
        raise TypeError("dataset: it is a DataLoader; give its data set, or give it to profile_current_configuration()")
    if isinstance(dataset, data.IterableDataset):
        return False
    if isinstance(dataset, Iterator):
        raise TypeError(f"dataset: a {name} gives its samples only once; give a Dataset, an IterableDataset or a list")
    if isinstance(dataset, (str, bytes, Mapping, type)) or not hasattr(dataset, "__getitem__"):
        raise TypeError(f"dataset: a {name} is no data set; give a Dataset, an IterableDataset or a list")
    try:
        count = len(dataset)
    except TypeError:
        raise TypeError(f"dataset: a {name} with __getitem__ needs a __len__ as well") from None
    if count == 0:
        raise ValueError("dataset: it is empty")
    return True


def values_of(name, value, otherwise):
    """The values to try of one setting: a single one, or a list of them."""
    if value is None:
        return list(otherwise)
    values = list(value) if isinstance(value, (list, tuple, range, set)) else [value]
    if not values:
        raise ValueError(f"{name}: it is empty")
    return values


def whole(name, values, least):
    for value in values:
        if isinstance(value, bool) or not hasattr(value, "__index__"):
            raise TypeError(f"{name}: {value!r} is not a whole number")
        if value < least:
            raise ValueError(f"{name}: {value!r} is below {least}")
    return [int(value) for value in values]


def flags(name, values):
    for value in values:
        if type(value) is not bool and value is not None:
            raise TypeError(f"{name}: {value!r} is neither True nor False")
    return values


class Grid:
    """The configurations, and how a loader of one is made."""

    def __init__(self, dataset, config, arguments, varied):
        self.dataset, self.map_style = dataset, check_dataset(dataset)
        self.arguments = self._passed(arguments)
        self.batch_sizes = self._batch_sizes(arguments.get("batch_size"), config)
        workers = whole("num_workers", values_of("num_workers", arguments.get("num_workers"), config.worker_range), 0)
        self.configurations = self._span(workers, self._varied(varied))
        self._check_together()
        self.seed = trial_loaders.SEED

    def _passed(self, arguments):
        unknown = sorted(set(arguments) - {*PASSED, "batch_size", "num_workers"})
        if unknown:
            raise TypeError(f"{unknown[0]}: no argument of DataLoader; there are {', '.join(sorted([*PASSED, *VARIED]))}")
        given = {key: value for key, value in arguments.items() if key in PASSED and value is not None}
        for key in ("collate_fn", "worker_init_fn"):
            if key in given and not callable(given[key]):
                raise TypeError(f"{key}: {given[key]!r} cannot be called")
        for key in ("sampler", "batch_sampler"):
            if key in given and not hasattr(given[key], "__iter__"):
                raise TypeError(f"{key}: {given[key]!r} cannot be iterated")
            if key in given and isinstance(given[key], Iterator):
                raise TypeError(f"{key}: a {type(given[key]).__name__} gives its indices only once")
        return given

    def _batch_sizes(self, given, config):
        if "batch_sampler" in self.arguments:
            if given is not None:
                raise ValueError("batch_sampler: it makes the batches, so batch_size cannot be given beside it")
            for key in ("sampler", "shuffle", "drop_last"):
                if self.arguments.get(key):
                    raise ValueError(f"batch_sampler: it makes the batches, so {key} cannot be given beside it")
            return [None]
        sizes = whole("batch_size", values_of("batch_size", given, config.batch_size_range), 1)
        if self.map_style and min(sizes) > len(self.dataset):
            name = "batch_size" if given is not None else "batch_size_range"
            raise ValueError(f"{name}: every one of {sizes} is larger than the data set, which has {len(self.dataset)} "
                             f"sample{'s' * (len(self.dataset) != 1)}")
        return sizes

    def _varied(self, varied):
        import multiprocessing

        values = {key: values_of(key, varied[key], [otherwise]) for key, otherwise in VARIED.items()}
        whole("prefetch_factor", [value for value in values["prefetch_factor"] if value is not None], 1)
        for key in ("pin_memory", "persistent_workers", "in_order"):
            flags(key, values[key])
        if values["in_order"] != [None] and not trial_loaders.has_in_order():
            raise ValueError("in_order: this version of torch has no such setting")
        known = multiprocessing.get_all_start_methods()
        methods = [getattr(value, "_name", None) or value for value in values["multiprocessing_context"]]
        for method in methods:
            if method is not None and method not in known:
                raise ValueError(f"multiprocessing_context: {method!r} is none of {', '.join(known)}")
        return {**values, "multiprocessing_context": methods}

    def _span(self, workers, varied):
        """Without workers there is nothing to prefetch, to keep, to order or to start: such settings are one."""
        spanned = []
        for size, count, *rest in itertools.product(self.batch_sizes, workers, *varied.values()):
            more = dict(zip(varied, rest, strict=True))
            if count == 0:
                more = {**VARIED, "pin_memory": more["pin_memory"]}
            elif more["prefetch_factor"] is None:
                more["prefetch_factor"] = 2  # torch's own
            spanned.append(Configuration(size, count, **more))
        return list(dict.fromkeys(spanned))

    def _check_together(self):
        """What torch itself says of the arguments together, before any trial."""
        if self.arguments.get("sampler") is not None and self.arguments.get("shuffle"):
            raise ValueError("sampler: it makes the order, so shuffle cannot be given beside it")
        if not self.map_style:
            for key in ("sampler", "batch_sampler", "shuffle"):
                if self.arguments.get(key):
                    raise ValueError(f"{key}: an iterable data set makes its own order")

    # ------------------------------------------------------------------------------------------------- loaders

    def loader(self, configuration):
        """The DataLoader that a user would make of a configuration, in a random order unless something says otherwise."""
        arguments = {**self.arguments, **configuration.arguments()}
        if self.map_style and not {"sampler", "batch_sampler", "shuffle"} & set(arguments):
            arguments["shuffle"] = True
        return torch_data("DataLoadingProfiler").DataLoader(self.dataset, **arguments)

    def lists(self, configuration):
        """Index lists without end for the trials of one batch size; None for an iterable data set."""
        return trial_loaders.lists_of(self.loader(configuration), self.seed) if self.map_style else None

    def trial_loader(self, configuration, lists):
        made = self.loader(configuration)
        return trial_loaders.for_trial(made, {}, lists) if self.map_style else made

    def too_large(self, configuration):
        """Why a configuration cannot be tried, or None."""
        if self.map_style and configuration.batch_size and configuration.batch_size > len(self.dataset):
            return f"batch_size: {configuration.batch_size} is larger than the data set, which has {len(self.dataset)} samples"
        return None

    def unpicklable(self):
        """The argument that a start method other than fork cannot send to a worker, in one line; None: all can be."""
        parts = {"dataset": self.dataset, **{key: self.arguments.get(key) for key in ("collate_fn", "worker_init_fn")}}
        for name, part in parts.items():
            try:
                multiprocessing.reduction.ForkingPickler.dumps(part)
            except Exception as error:
                return f"{name}: it cannot be sent to a worker that is not forked: {error}"
        return None
