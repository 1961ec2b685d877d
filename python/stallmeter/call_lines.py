"""One call, followed: which lines ran how often, who was called with what, what only copied. Beside the timed calls.

Lines are followed by `sys.settrace`, calls by `sys.setprofile`: they are the same on every Python from 3.10 on, see every line
and need no thread. A line costs about a microsecond so; that is why nothing here is a time of the report: C takes what a call
takes without us, and from here the shares. A line's time is its thread's CPU, since other programs would be in any other.
"""

import inspect
import sys
import sysconfig
import time

from .call_inputs import fingerprint, loaded, short_path

_LIBRARIES = tuple({sysconfig.get_path(name) for name in ("stdlib", "platstdlib", "purelib", "platlib")})
_HERE = __file__.rsplit("/", 1)[0]
_PIECEMEAL = inspect.CO_GENERATOR | inspect.CO_COROUTINE | inspect.CO_ITERABLE_COROUTINE | inspect.CO_ASYNC_GENERATOR
_OWN = ""  # the package of code that is the user's
_SEEN_MAX = 2000  # calls of one function whose arguments are remembered
#: functions of C that only copy, by the package of what they belong to
_COPYING = {
    "numpy": {"copy", "astype", "tobytes", "tolist", "flatten", "array", "ascontiguousarray"},
    "torch": {"clone", "contiguous", "tolist"},
    "builtins": {"copy", "tobytes"},
}
_COPYING_PYTHON = {("copy", "copy"), ("copy", "deepcopy"), ("PIL", "copy")}


def is_library(path):
    return path.startswith((*_LIBRARIES, "<frozen")) or "site-packages" in path or "dist-packages" in path


OURS_MOST = 3  # times what the call itself may take, for comparing arguments and results


class TooLong(Exception):
    pass


class _Lines:
    def __init__(self, seconds):
        self.lines = {}  # (code, line) -> [runs, CPU seconds]
        self._end = time.perf_counter() + seconds
        self._at, self._since = None, None
        self.over = False

    def _charge(self):
        if self._at is not None:
            self._at[1] += time.thread_time() - self._since
        if not self.over and time.perf_counter() > self._end:
            self.over = True
            sys.settrace(None)

    def _entry(self, frame):
        return self.lines.setdefault((frame.f_code, frame.f_lineno), [0, 0.0])

    def _local(self, frame, event, arg):
        self._charge()
        if self.over:
            return None
        if event == "line":
            self._at = self._entry(frame)
            self._at[0] += 1
        elif event == "return" and frame.f_back is not None:
            self._at = self._entry(frame.f_back)
        self._since = time.thread_time()
        return self._local

    def begin(self, frame, event, arg):
        """A function is entered: what it takes until its first line is its own."""
        if frame.f_code.co_filename == __file__:
            return None
        self._charge()
        self._at, self._since = self._entry(frame), time.thread_time()
        return self._local


def follow_lines(function, value, seconds):
    """[(where, runs, CPU seconds, is_library)] of one call; raises TooLong, or what the function raises."""
    before, lines = sys.gettrace(), _Lines(seconds)
    sys.settrace(lines.begin)
    try:
        function(value)
    finally:
        sys.settrace(before)
    if lines.over:
        raise TooLong(f"a call, followed line by line, takes longer than the {seconds:.1f} s that there are for it")
    return [(f"{short_path(code.co_filename)}:{line}", float(runs), spent, is_library(code.co_filename))
            for (code, line), (runs, spent) in lines.lines.items() if not code.co_filename.startswith(_HERE)]


class Calls:
    """What one followed call called: shares of its time, and the function that was called again for nothing."""

    def __init__(self):
        self.seconds = 0.0
        self.copies, self.packages = {}, {}  # (name, where) -> seconds; package -> seconds
        self.again = {}  # (name, where) -> [calls, seconds]

    def copy_share(self):
        return sum(self.copies.values()) / self.seconds

    def duplicate_share(self):
        return sum(spent for _, spent in self.again.values()) / self.seconds

    def top(self, table):
        """The key with the most seconds, or None."""
        return max(table, key=lambda key: table[key][1] if isinstance(table[key], list) else table[key], default=None)


def _package(name):
    return (name or "").split(".")[0].lstrip("_")


class _Follower:
    def __init__(self, seconds):
        self.calls = Calls()
        self._seconds, self._end = seconds, time.perf_counter() + seconds
        self._lost = 0.0  # our own time, taken out of every clock here
        self._stack = []  # (begin, copy key, package, code, arguments)
        self._seen = {}  # code -> {arguments: result}
        self._since = 0.0  # the last event
        self._in_copy = self._in_again = 0
        self.over = False

    def _arguments(self, frame):
        code = frame.f_code
        count = code.co_argcount + code.co_kwonlyargcount + bool(code.co_flags & inspect.CO_VARARGS)
        count += bool(code.co_flags & inspect.CO_VARKEYWORDS)
        known = self._seen.setdefault(code, {})
        is_made = code.co_name[0] == "<" and code.co_name != "<lambda>"  # a comprehension
        if not self._stack or len(known) > _SEEN_MAX or code.co_flags & _PIECEMEAL or is_made:
            return None
        return fingerprint([frame.f_locals.get(name) for name in code.co_varnames[:count]])

    def _charge(self, at):
        """What passed since the last event is the time of the package that is at work."""
        if self._stack and self._stack[-1][2] != _OWN:
            package = self._stack[-1][2]
            self.calls.packages[package] = self.calls.packages.get(package, 0.0) + at - self._since
        self._since = at

    def _push(self, at, copying, package, code=None, arguments=None):
        self._charge(at)
        if package is None:  # of the interpreter: on behalf of whoever called it
            package = self._stack[-1][2] if self._stack else _OWN
        self._in_copy += copying is not None
        again = arguments is not None and arguments in self._seen[code]
        self._in_again += again
        self._stack.append((at, copying, package, code, arguments, again))

    def _pop(self, at, result):
        if not self._stack:
            return
        self._charge(at)
        begin, copying, _, code, arguments, again = self._stack.pop()
        spent = at - begin
        self._in_copy -= copying is not None
        self._in_again -= again
        if copying is not None and not self._in_copy:
            self.calls.copies[copying] = self.calls.copies.get(copying, 0.0) + spent
        if arguments is not None:
            self._remember(code, arguments, result, again, spent)

    def _remember(self, code, arguments, result, again, spent):
        print_of_result = fingerprint(result)
        if again and not self._in_again and print_of_result is not None and self._seen[code][arguments] == print_of_result:
            key = (getattr(code, "co_qualname", code.co_name).replace("<locals>.", ""),
                   f"{short_path(code.co_filename)}:{code.co_firstlineno}")
            entry = self.calls.again.setdefault(key, [0, 0.0])
            entry[0] += 1
            entry[1] += spent
        self._seen[code][arguments] = print_of_result

    def event(self, frame, event, arg):
        entered = time.perf_counter()
        at = entered - self._lost
        if event == "call":
            self._call(at, frame)
        elif event == "c_call":
            self._c_call(at, frame, arg)
        else:
            self._pop(at, arg if event == "return" else None)
        if (at > self._end or self._lost > OURS_MOST * self._seconds) and not self.over:
            self.over = True
            sys.setprofile(None)
        self._lost += time.perf_counter() - entered

    def _call(self, at, frame):
        code, package = frame.f_code, _package(frame.f_globals.get("__name__"))
        foreign = is_library(code.co_filename)
        place = (code.co_name, self._place(frame.f_back)) if (package, code.co_name) in _COPYING_PYTHON else None
        self._push(at, place, package if foreign else _OWN, code, None if foreign else self._arguments(frame))

    def _c_call(self, at, frame, function):
        owner = getattr(function, "__self__", None)
        of_module = owner is None or type(owner).__name__ == "module"
        module = getattr(function, "__module__", None) if of_module else type(owner).__module__
        package, name = _package(module), getattr(function, "__name__", "")
        copying = (name, self._place(frame)) if name in _COPYING.get(package, ()) else None
        self._push(at, copying, None if package in ("builtins", "") else package)

    @staticmethod
    def _place(frame):
        """The user's own line, under a library's."""
        at = frame
        while at is not None and is_library(at.f_code.co_filename):
            at = at.f_back
        at = at or frame
        return f"{short_path(at.f_code.co_filename)}:{at.f_lineno}"


def follow_calls(function, value, seconds):
    """Calls of one call of it; raises TooLong, or what the function raises."""
    before, follower = sys.getprofile(), _Follower(seconds)
    begin = time.perf_counter()
    sys.setprofile(follower.event)
    try:
        function(value)
    finally:
        sys.setprofile(before)
    follower.calls.seconds = max(time.perf_counter() - begin - follower._lost, 1e-9)
    if follower.over:
        raise TooLong(f"a call, followed call by call, takes longer than the {seconds:.1f} s that there are for it")
    return follower.calls


def count_tensor_calls(function, value):
    """(operations of torch's in a call, their share of its time), or None where torch cannot tell."""
    mode = loaded("torch.overrides", "TorchFunctionMode")
    if not hasattr(mode, "__torch_function__"):
        return None

    class Counting(mode):
        count, seconds = 0, 0.0

        def __torch_function__(self, operation, types, args=(), kwargs=None):
            begin = time.perf_counter()
            try:
                return operation(*args, **(kwargs or {}))
            finally:
                Counting.seconds += time.perf_counter() - begin
                Counting.count += getattr(operation, "__name__", "") != "__get__"

    begin = time.perf_counter()
    with Counting():
        function(value)
    return Counting.count, Counting.seconds / max(time.perf_counter() - begin, 1e-9)
