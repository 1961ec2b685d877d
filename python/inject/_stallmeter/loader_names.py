"""What a loader is called: the name of the variable that the training code keeps it in.

The loader is asked for at the first `iter()`. From there the frames are walked outwards, past torch and the libraries
that iterate for others, and the first variable that *is* the loader (or holds it in an attribute, a dict or a list)
gives the name. Reading a function's variables has two side effects before Python 3.13: CPython keeps the snapshot with
the frame, so everything in it would live as long as the frame, and a dict that the program got from `locals()` is
brought up to date behind its back. So the snapshot is emptied again, and functions that call `locals()` are not asked.
"""

import re
import sys

FRAMES_MAX = 40
OPTIMIZED = 1  # inspect.CO_OPTIMIZED: the frame's variables are not a dict
ENDING = re.compile(r"_?(?:data_?)?(?:loader|dl)s?$", re.IGNORECASE)
LIBRARIES = ("torch", "tqdm", "accelerate", "lightning", "pytorch_lightning", "transformers", "ignite", "fastai",
             "timm", "stallmeter", "_stallmeter", "contextlib")


def short(name: str) -> str:
    """`train_loader` -> `train`; a name that is nothing but its ending stays."""
    name = name.lstrip("_")
    return ENDING.sub("", name) or name


def holds(value, targets) -> str:
    """How `value` leads to one of the targets: "" when it is one, a key or attribute, or None when it does not."""
    if any(value is target for target in targets):
        return ""
    if type(value) is dict:
        items = value.items()
    elif type(value) in (list, tuple):
        items = enumerate(value)
    else:
        items = getattr(value, "__dict__", None)
        items = items.items() if type(items) is dict else ()
    for key, inner in list(items)[:200]:
        if any(inner is target for target in targets):
            return str(key)
    return None


def says_little(name) -> bool:
    """`loader` and `dl` are what a function calls its parameter: the caller's variable says more."""
    return len(name) < 3 or ENDING.fullmatch(name) is not None or name in ("data", "iterable", "self")


def search(variables, targets):
    """The best name in one scope: one that says something before one that does not, a variable of its own before a place
    inside another object."""
    found = []
    for name, value in list(variables.items()):
        path = None if name.startswith("__") else holds(value, targets)
        if path is not None:
            inside = path != ""
            name = name if not inside else f"{name}_{path}" if path.isdigit() else path
            name = name.lstrip("_")
            found.append((says_little(name), inside, len(found), name))
    return min(found)[3] if found else None


def is_library(frame) -> bool:
    return frame.f_globals.get("__name__", "").split(".")[0] in LIBRARIES


def reads_locals(code) -> bool:
    return not {"locals", "vars", "exec", "eval", "dir"}.isdisjoint(code.co_names)


def local_name(frame, targets):
    code = frame.f_code
    snapshot = bool(code.co_flags & OPTIMIZED) and sys.version_info < (3, 13)
    if snapshot and reads_locals(code):
        return None
    variables = frame.f_locals
    try:
        return search(variables, targets)
    finally:
        if snapshot:
            variables.clear()


def find(loader, frame):
    """The name of the loader in the code that iterates it, or None."""
    targets = [loader]
    second_best = None
    for _ in range(FRAMES_MAX):
        if frame is None:
            break
        if is_library(frame):
            follow_wrapper(frame, targets)
        else:
            name = local_name(frame, targets) or search(frame.f_globals, targets)
            if name and not says_little(name):
                return name
            second_best = second_best or name
        frame = frame.f_back
    return second_best


def follow_wrapper(frame, targets):
    """A library's object that holds the loader (accelerate's, tqdm's) is what the user's variable is."""
    code = frame.f_code
    if code.co_argcount and code.co_varnames[0] == "self" and not reads_locals(code):
        variables = frame.f_locals
        wrapper = variables.get("self")
        if sys.version_info < (3, 13):
            variables.clear()
        if wrapper is not None and holds(wrapper, targets) is not None:
            targets.append(wrapper)
