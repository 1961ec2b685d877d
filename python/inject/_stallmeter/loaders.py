"""The loaders of this process, told apart, and the iterations over them.

State of an iteration is kept beside torch's iterator, by its identity, never in it.
"""

import itertools
import sys
import threading
import weakref

from . import loader_names, record

#: of the thread: the iteration whose iterator it is `building`, the `wait` that a device is asked about
local = threading.local()

lock = threading.Lock()
known = {}  # id(loader) -> Loader
by_name = {}  # name -> Loader, the newest of that name
iterations = record.iterations  # id(iterator) -> Iteration
ordinals = itertools.count()
forgotten = set()  # names and ordinals live on when a loader dies: weak references that have fired

NOT_PRINTED = ("name", "ordinal")


class Loader:
    """One loader as the report shows it: an ordinal, a name, and how it is set up."""

    def __init__(self, ordinal, name):
        self.ordinal = ordinal
        self.name = name
        self.iterations = 0
        self.settings = {}
        self.alive = None  # weak reference to the object, or None

    def tell(self, settings):
        """Records the settings, when they are new."""
        if settings == self.settings:
            return
        self.settings = settings
        lines = [f"{key}={clean(value)}" for key, value in settings.items() if value is not None]
        record.fact("\n".join(["loader", f"ordinal={self.ordinal}", f"name={clean(self.name)}", *lines]))


class Iteration(record.Batches):
    """One pass over a loader, seen from the thread that iterates. Its batches are counted in C: ext/py_loader.c."""

    __slots__ = ("loader", "alive")

    def __init__(self, loader):
        self.loader = loader
        self.ordinal = loader.ordinal
        self.number = loader.iterations
        loader.iterations += 1
        self.arrived = -1
        self.yielded = 0
        self.in_order = True


def clean(value) -> str:
    return str(value).replace("\n", " ")[:400]


def unique(name) -> str:
    if name not in by_name:
        return name
    return next(f"{name}-{n}" for n in itertools.count(2) if f"{name}-{n}" not in by_name)


def is_gone(loader) -> bool:
    return loader.alive is None or loader.alive() is None


def successor_of(name, settings):
    """A loader made anew under the same name and with the same settings, once the old one is gone, is the same."""
    old = by_name.get(name)
    return old if old is not None and is_gone(old) and old.settings == settings else None


def find(loader, settings, depth=1, name=None) -> Loader:
    """The Loader of a loader object; named, numbered and recorded at the first look."""
    with lock:
        entry = known.get(id(loader))
        if entry is None:
            if name is None:
                name = loader_names.find(loader, sys._getframe(depth + 1))
                name = loader_names.short(name) if name else settings.get("dataset") or "loader"
            entry = successor_of(name, settings)
            if entry is None:
                name = unique(name)
                entry = by_name[name] = Loader(next(ordinals), name)
            remember(known, loader, entry)
        entry.tell(settings)
        return entry


def remember(table, thing, entry):
    """Files the entry under the thing's identity for as long as the thing lives."""
    key = id(thing)
    try:
        entry.alive = weakref.ref(thing, lambda gone: table.pop(key, None))
    except TypeError:
        entry.alive = None
    table[key] = entry
