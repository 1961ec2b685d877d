"""`stallmeter.profile()`: what `stallmeter run` does for a whole job, for a part of a program that runs already.

A collector is left beside this process and told when the part is over; it writes the trace, and the report is read from
it. No thread is started here.
"""

import contextlib
import datetime
import os
import socket
import subprocess
import sys

LEVELS = ("basic", "detailed", "comprehensive", "production")
END_SECONDS = 30  # the collector needs well under one; a disk may be slow


class Profile:
    """One profiled part of a program: `directory` of its run, and, when it is over, its `report`."""

    def __init__(self, directory, outer=False):
        self.directory = directory
        self._outer = outer
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


def start_collector(directory, level, name, limit_bytes):
    """Returns the socket on which the collector is told to end; it closes its side when the trace is whole."""
    ours, its = socket.socketpair()
    with its:
        words = [sys.executable, "-m", "stallmeter", "collect", "--pid", str(os.getpid()), "--level", level,
                 "--until", str(its.fileno())]
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
    return ours


def end_collector(told):
    """Waits until the trace is whole. A collector that was killed is not waited for: the reader salvages what is there."""
    with told:
        told.settimeout(END_SECONDS)
        try:
            told.sendall(b"\n")
            while told.recv(64):
                pass
        except OSError:
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
def profile(directory=None, *, name=None, level="detailed", limit_bytes=None):
    """Records what happens inside, workers of loaders included.

        with stallmeter.profile() as run:
            train()
        print(run.report)

    `directory` must not exist yet; without one it is named after the script and the time. `level` is basic, detailed,
    comprehensive or production. Under `stallmeter run` nothing is started twice: that run records this part too.
    Of workers that are alive already nothing is seen: make the iterator of a loader inside.
    Raises ValueError for a wrong argument, FileExistsError for a directory that is taken, RuntimeError inside another
    profile(), OSError where nothing can be recorded.
    """
    from . import _inject_folder, _inner

    if level not in LEVELS:
        raise ValueError(f"level: {level!r} is none of {', '.join(LEVELS)}")
    if limit_bytes is not None and (type(limit_bytes) is not int or limit_bytes < 1):
        raise ValueError(f"limit_bytes: {limit_bytes!r} is no positive number of bytes")
    record = _inner.record
    if record.session_is_open():
        if os.environ.get("STALLMETER_LIVE") and not _open:
            yield Profile(None, outer=True)
            return
        raise RuntimeError("profile() inside profile(): one at a time in a process; use stallmeter.span for parts")
    directory = os.path.abspath(os.fspath(directory)) if directory is not None else free_directory(name)
    if os.path.exists(directory):
        raise FileExistsError(f"directory: {directory} is taken; nothing is overwritten")
    told = start_collector(directory, level, name, limit_bytes)
    run = Profile(directory)
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
