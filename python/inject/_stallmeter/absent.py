"""What stands in for `_record` where the interpreter cannot load it: the same names, and nothing recorded."""

import functools

FAILED = object()
__version__ = ""


class Span:
    def __init__(self, name, type=None):
        self.name = name

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        return None

    def __call__(self, function):
        return function


@functools.lru_cache(maxsize=1024)
def span(name, type=None):
    return Span(name, type)


class Batches:
    """Of one iteration."""


iterations = {}


def span_role(role, text, second=None):
    return Span(text)


def wrap(function, span, before=None, after=None, doing=0, while_doing=0):
    return function


def mark_role(role, text):
    return lambda *numbers: None


def is_wrapped(object):
    return False


def session_start(**options):
    raise OSError("stallmeter has no recorder for this interpreter")


def session_is_open():
    return False


def session_path():
    return ""


def nothing(*args, **keywords):
    return None


def lost():
    return 0


trouble = lost
watch_batches = interlude = session_stop = args = mark = counter = fact = begin = end = thread_name = nothing
