"""The import hook: calls back when a module has been imported, and is gone when all have been.

A finder at the head of `sys.meta_path` that finds nothing itself: for the few names it waits for, it asks the other
finders and lends their loader an `exec_module` for the length of one import. Neither the loader nor the module is
different afterwards.
"""

import sys


class WaitFor:
    def __init__(self, names, found):
        self.names = set(names)
        self.found = found

    def find_spec(self, name, path=None, target=None):
        if name not in self.names:
            return None
        spec = self.ask_the_others(name, path, target)
        if spec is None or not hasattr(spec.loader, "exec_module"):
            return spec
        self.call_back_after(spec.loader, name)
        return spec

    def ask_the_others(self, name, path, target):
        for finder in list(sys.meta_path):
            find_spec = getattr(finder, "find_spec", None)
            if finder is not self and find_spec is not None:
                spec = find_spec(name, path, target)
                if spec is not None:
                    return spec
        return None

    def call_back_after(self, loader, name):
        execute = loader.exec_module

        def exec_module(module):
            try:
                del loader.exec_module  # only the instance's: the class's is back in sight
            except AttributeError:
                pass
            execute(module)
            self.arrived(name)

        try:
            loader.exec_module = exec_module
        except AttributeError:  # a loader with slots: this import goes by unseen
            self.names.discard(name)

    def arrived(self, name):
        if name not in self.names:
            return
        self.names.discard(name)
        if not self.names and self in sys.meta_path:
            sys.meta_path.remove(self)
        self.found(name)


def is_imported(name, modules):
    module = modules.get(name)
    spec = getattr(module, "__spec__", None)
    return module is not None and not getattr(spec, "_initializing", False)


def wait_for(names, found, modules):
    """Calls `found(name)` for each name, now or when it has been imported. Harmless when called twice."""
    missing = [name for name in names if not is_imported(name, modules)]
    waiting = any(type(finder).__qualname__ == WaitFor.__qualname__ for finder in sys.meta_path)
    if missing and not waiting:
        sys.meta_path.insert(0, WaitFor(missing, found))
    for name in names:
        if name not in missing:
            found(name)


def say_not_measured(record, what, error):
    try:
        why = f"{type(error).__name__}: {error}".replace("\n", " ")
        record.fact(f"not_measured\nwhat={what}\nwhy={why[:300]}")
    except Exception:
        pass
