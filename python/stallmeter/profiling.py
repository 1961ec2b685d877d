"""`stallmeter.profile()`: what `stallmeter run` does for a whole job, for a part of a program that runs already.

A collector is left beside this process and told when the part is over; it writes the trace, and the report is read from
it. No thread is started here.
"""

import contextlib
import datetime
import json
import os
import socket
import subprocess
import sys

from .configs import _positive, _share

LEVELS = ("basic", "detailed", "comprehensive", "production")
GROUPS = ("memory", "gpu", "cpu", "io")  # of counters
END_SECONDS = 30  # the collector needs well under one; a disk may be slow


class Profile:
    """One profiled part of a program: `directory` of its run, and, when it is over, its `report`."""

    def __init__(self, directory, told=None):
        self.directory = directory
        self._told = told
        self._outer = told is None
        self._over = False
        self._report = None

    @property
    def report(self):
        """The Report, read when first asked for."""
        if self._outer:
            raise RuntimeError("this program runs under `stallmeter run`, which reports on all of it when it ends")
        if not self._over:
            raise RuntimeError("the report is made when the profiled part is over: ask behind the `with`")
        if self._report is None:
            from .report import load

            self._report = load(self.directory)
        return self._report

    def alerts(self):
        """The alerts since this was last asked: dicts of `time_s` since the run began, `kind` (memory, gpu_memory, cpu, io),
        `value`, `threshold` and `state` (begin, end). Never waits. All of them are in `report.alerts`; under
        `stallmeter run` they are told to that run's report alone.
        """
        return [] if self._outer else drain_alerts(self._told)


class Told:
    """The way to a collector: it is told here to end, and tells its alerts here, a line of JSON each."""

    def __init__(self, end):
        self.end = end  # a socket
        self.text = b""  # what came and was not read yet

    def hear(self):
        """Takes what lies ready; False when the collector has closed its side."""
        try:
            got = self.end.recv(65536)
        except BlockingIOError:
            return True
        except OSError:
            return False
        self.text += got
        return bool(got)


def free_directory(name):
    """`stallmeter-<script>-<time>` in the working directory, numbered when it is taken."""
    script = os.path.splitext(os.path.basename(sys.argv[0] if sys.argv and sys.argv[0] else "python"))[0] or "python"
    time = datetime.datetime.now().strftime("%Y%m%d-%H%M%S")
    first = os.path.abspath(f"stallmeter-{(name or script).replace(os.sep, '_')}-{time}")
    path, number = first, 2
    while os.path.exists(path):
        path, number = f"{first}-{number}", number + 1
    return path


def live_directory(directory):
    """Where mappings go: inside the run, or on a local disk that the run names."""
    try:
        with open(os.path.join(directory, "live.path"), encoding="utf-8") as file:
            return file.read().rstrip("\n")
    except FileNotFoundError:
        return os.path.join(directory, "live")


def check_monitoring(interval=None, memory_threshold=None, gpu_threshold=None, without=()):
    """Raises TypeError or ValueError for the first that makes no sense, naming it; returns them as words for `collect`."""
    words = ["--interval", repr(float(_positive("interval", interval)))] if interval is not None else []
    for name, value in (("memory_threshold", memory_threshold), ("gpu_threshold", gpu_threshold)):
        if value is not None:
            words += [f"--{name.replace('_', '-')}", repr(float(_share(name, value)))]
    if not isinstance(without, (list, tuple, set, frozenset)):
        raise TypeError(f"without: {without!r} is no list of groups of counters")
    for group in without:
        if group not in GROUPS:
            raise ValueError(f"without: {group!r} is none of {', '.join(GROUPS)}")
    return words + (["--without", ",".join(without)] if without else [])


def start_collector(directory, level, name, limit_bytes, interval=None, memory_threshold=None, gpu_threshold=None, without=()):
    """Returns the Told by which the collector is told to end; it closes its side when the trace is whole.

    `interval`: seconds between samples of the fastest counters, no shorter than the level's. The thresholds, shares, are
    those of alerts. `without`: groups of counters that are not sampled.
    """
    monitoring = check_monitoring(interval, memory_threshold, gpu_threshold, without)
    ours, its = socket.socketpair()
    with its:
        words = [sys.executable, "-m", "stallmeter", "collect", "--pid", str(os.getpid()), "--level", level,
                 "--until", str(its.fileno()), *monitoring]
        words += ["--name", name] if name else []
        words += ["--limit", str(limit_bytes)] if limit_bytes else []
        package = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
        paths = [package, *filter(None, [os.environ.get("PYTHONPATH")])]
        # Of the collector's own start nothing is to be recorded.
        variables = {key: value for key, value in os.environ.items() if key != "STALLMETER_LIVE"}
        done = subprocess.run([*words, "--", directory], env={**variables, "PYTHONPATH": os.pathsep.join(paths)},
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, pass_fds=[its.fileno()])
    if done.returncode != 0:
        ours.close()
        raise OSError(f"stallmeter cannot record into {directory}: {done.stderr.strip()}")
    ours.setblocking(False)
    allow_device_memory("gpu" not in without)
    return Told(ours)


def allow_device_memory(wanted):
    """The one group of counters of which this process tells a part itself."""
    from _stallmeter import device_memory

    device_memory.allow(wanted)


def drain_alerts(told):
    """The alerts that came since the last call, also those of a collector that has ended. Never waits."""
    while told.end.fileno() >= 0:
        had = len(told.text)
        if not told.hear() or len(told.text) == had:
            break
    *lines, told.text = told.text.split(b"\n")
    return [json.loads(line) for line in lines]


def end_collector(told):
    """Waits until the trace is whole. A collector that was killed is not waited for: the reader salvages what is there."""
    allow_device_memory(True)
    with told.end:
        told.end.settimeout(END_SECONDS)
        with contextlib.suppress(OSError):  # it has ended already, and what it told lies here
            told.end.sendall(b"\n")
        while told.hear():
            pass


@contextlib.contextmanager
def environment(live, inject):
    """Workers that are spawned inside find the way in as under `stallmeter run`."""
    before = {key: os.environ.get(key) for key in ("STALLMETER_LIVE", "PYTHONPATH")}
    os.environ["STALLMETER_LIVE"] = live
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [inject, before["PYTHONPATH"]]))
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


@contextlib.contextmanager
def profile(directory=None, *, name=None, level="detailed", limit_bytes=None, interval=None, memory_threshold=None,
            gpu_threshold=None, without=()):
    """Records what happens inside, workers of loaders included.

        with stallmeter.profile() as run:
            train()
        print(run.report)

    `directory` must not exist yet; without one it is named after the script and the time. `level` is basic, detailed,
    comprehensive or production. `interval`: seconds between samples of the counters, never shorter than the level's;
    `memory_threshold` and `gpu_threshold`: shares of the memory that the job may use and of a device's above which
    `run.alerts()` and the report's alert log say so (0.8 and 0.9); `without`: groups of counters that are not sampled, of
    memory, gpu, cpu and io. Under `stallmeter run` nothing is started twice: that run records this part too.
    Of workers that are alive already nothing is seen: make the iterator of a loader inside.
    Raises ValueError for a wrong argument, FileExistsError for a directory that is taken, RuntimeError inside another
    profile(), OSError where nothing can be recorded.
    """
    from . import _inject_folder, _inner

    if level not in LEVELS:
        raise ValueError(f"level: {level!r} is none of {', '.join(LEVELS)}")
    if limit_bytes is not None and (type(limit_bytes) is not int or limit_bytes < 1):
        raise ValueError(f"limit_bytes: {limit_bytes!r} is no positive number of bytes")
    check_monitoring(interval, memory_threshold, gpu_threshold, without)
    record = _inner.record
    if record.session_is_open():
        if os.environ.get("STALLMETER_LIVE") and not _open:
            yield Profile(None)
            return
        raise RuntimeError("profile() inside profile(): one at a time in a process; use stallmeter.span for parts")
    directory = os.path.abspath(os.fspath(directory)) if directory is not None else free_directory(name)
    if os.path.exists(directory):
        raise FileExistsError(f"directory: {directory} is taken; nothing is overwritten")
    told = start_collector(directory, level, name, limit_bytes, interval, memory_threshold, gpu_threshold, without)
    run = Profile(directory, told)
    live = live_directory(directory)
    try:
        record.session_start(directory=live)
        _open.append(run)
        with environment(live, _inject_folder()):
            _inner.start()
            yield run
    finally:
        if run in _open:
            _open.remove(run)
            record.session_stop()
        end_collector(told)
        run._over = True


_open = []  # the profile() that is at work in this process
os.register_at_fork(after_in_child=_open.clear)
