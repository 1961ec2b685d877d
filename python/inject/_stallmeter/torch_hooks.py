"""How the adapters hang something on a function of torch: put a C wrapper in its place, once."""

from . import record

#: what a thread may be doing: see `wrap` in ext/py_wrap.c
GETTING, PINNING, IN_BACKWARD, IN_OPTIMIZER = 1, 2, 4, 8


def hook(owner, name, span=None, before=None, after=None, doing=0):
    """Wraps the function or method `name` of a class or module. False where there is none."""
    function = vars(owner).get(name)
    static = isinstance(function, staticmethod)
    inner = function.__func__ if static else function
    if inner is None or not callable(inner):
        return False
    if not record.is_wrapped(inner):
        wrapped = record.wrap(inner, span, before, after, doing)
        setattr(owner, name, staticmethod(wrapped) if static else wrapped)
    return True


def code_of(function):
    return getattr(getattr(function, "__func__", function), "__code__", None)


def where_of(function) -> str:
    """`file:line` of a function, a partial of one, or an object that can be called, as people name it: relative to here, or
    to where it was imported from."""
    import os
    import sys

    function = getattr(function, "func", function)
    function = getattr(function, "__wrapped__", function)
    code = code_of(function) or code_of(getattr(type(function), "__call__", None))  # noqa: B004 the function is wanted, not whether there is one
    if code is None:
        return ""
    path = code.co_filename
    roots = [os.getcwd(), *(entry for entry in sys.path if entry)]
    inside = [os.path.relpath(path, root) for root in roots if path.startswith(root.rstrip("/") + "/")]
    return f"{min(inside, key=len) if inside else path}:{code.co_firstlineno}"


def name_of(function) -> str:
    """What people call a function, a partial of one, or an object that can be called."""
    function = getattr(function, "func", function)
    return getattr(function, "__qualname__", None) or type(function).__qualname__
