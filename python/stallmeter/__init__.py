"""stallmeter: why does the training wait for data?

    stallmeter run -- python train.py          # sees inside stock DataLoaders, without a change of code

and, where you want your own names in the report:

    import stallmeter

    with stallmeter.span("tokenize"):           # a span: also a decorator
        ...
    for batch in stallmeter.wrap(my_loader):    # a loader that is not torch's
        ...

Outside `stallmeter run` all of this does nothing, at the cost of a function call. A part of a program that runs already:

    with stallmeter.profile() as run:
        train()
    print(run.report)                           # or stallmeter.load("stallmeter-train-20260101-120000")

With sessions, operations and findings, `stallmeter.BottleneckProfiler`.
"""

import os as _os
import sys as _sys


def _inject_folder():
    """What `stallmeter run` puts in front of a job's import path: inside an installed package, beside one being built."""
    package = _os.path.dirname(_os.path.abspath(__file__))
    installed = _os.path.join(package, "inject")
    return installed if _os.path.isdir(installed) else _os.path.join(_os.path.dirname(package), "inject")


def _inside():
    """The package `_stallmeter`: the one that is at work here already, else ours."""
    if "_stallmeter" in _sys.modules:
        return _sys.modules["_stallmeter"]
    import importlib.util

    folder = _os.path.join(_inject_folder(), "_stallmeter")
    spec = importlib.util.spec_from_file_location(
        "_stallmeter", _os.path.join(folder, "__init__.py"), submodule_search_locations=[folder])
    module = _sys.modules["_stallmeter"] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del _sys.modules["_stallmeter"]
        raise
    return module


_inner = _inside()
_record = _inner.record
_inner.ensure_session()
_inner.start()

__version__ = "0.1.0"

#: what is imported when it is first used, and where it stands: never in a worker
_LATER = {
    "BottleneckProfilerConfig": "configs", "DataLoadingProfilerConfig": "configs", "PreprocessingProfilerConfig": "configs",
    "BottleneckType": "kinds", "DataLoadingBottleneck": "kinds", "PreprocessingBottleneck": "kinds", "ProfilingLevel": "kinds",
    "BottleneckProfiler": "bottleneck_profiler", "ProfilingSession": "profiling_session",
    "DataLoadingProfile": "data_loading", "DataLoadingProfiler": "data_loading",
    "OptimalConfiguration": "data_loading",
    "OptimalPreprocessing": "preprocessing", "PreprocessingProfile": "preprocessing", "PreprocessingProfiler": "preprocessing",
    "Report": "report", "load": "report", "TraceError": "_read", "profile": "profiling",
}
__all__ = sorted([*_LATER, "counter", "mark", "span", "wrap"])

span = _record.span
mark = _record.mark
counter = _record.counter


def wrap(loader, name=None):
    """Makes the waiting in a loader visible, whatever the loader is.

    `for batch in wrap(loader):` records each wait. The result behaves as the loader does (length, attributes). A loader of
    torch's needs no wrapping under `stallmeter run`; it is returned as it is, known under `name` if one is given.
    """
    from _stallmeter import plain_loader

    return plain_loader.wrap(loader, name)


def __getattr__(name):
    if name not in _LATER:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = globals()[name] = getattr(importlib.import_module(f".{_LATER[name]}", __name__), name)
    return value
