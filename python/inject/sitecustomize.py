"""Brings stallmeter into a Python process that `stallmeter run` started, and then the user's own sitecustomize.

This folder stands in front of PYTHONPATH, so Python imports this file in the place of another one further down the
path. That one is found and run here, under its own name, as if we were not there. This folder leaves `sys.path` again
(the environment keeps it, so that children are reached), and until torch is imported nothing else happens.
"""


def _begin():
    import os
    import sys

    here = os.path.dirname(os.path.abspath(__file__))
    try:
        import _stallmeter

        sys.path[:] = [path for path in sys.path if not path or os.path.abspath(path) != here]
        _stallmeter.start()
    except Exception:
        pass  # a profiler never changes the program's fate
    return here


def _chain(here):
    import importlib.machinery
    import importlib.util
    import os
    import sys

    paths = [path for path in sys.path if os.path.abspath(path or ".") != here]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", paths)
    if spec is None or spec.loader is None:
        return
    module = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = module
    spec.loader.exec_module(module)  # what it raises is the user's own, and Python says so as it always does


_chain(_begin())
