"""What is recorded at the moment, for the sessions of this process: one run, whoever asked for it first.

A process has one mapping, so all open sessions share one run: `stallmeter run`'s or `stallmeter.profile()`'s where there is
one, else a run of our own, which begins with the first session and ends with the last. Where sessions begin and end is told
as facts, with their times: the trace alone knows which operations lie in which session, also when the process is killed.
"""

import contextlib
import os
import shutil
import tempfile
import threading
import time
import weakref

from . import profiling

lock = threading.RLock()  # of all below; sessions begin and end one after the other
_temporary = set()  # folders that go with their run
_current = None  # the run of our own that is under way in this process
_inherited = None  # that of the parent, in a forked child


class Recording:
    """A run that is being recorded, or was."""

    def __init__(self, directory, told=None, own=False, temporary=False):
        self.directory = directory  # None: nobody told us where `stallmeter run` keeps it
        self.told = told  # None: its alerts do not come to us
        self.own = own
        self.temporary = temporary
        self.over = False
        self.sessions = set()  # ids of the open ones
        self.listeners = []  # called with each alert
        self._inside = contextlib.ExitStack()

    def tell(self, session_id, name, begin_ns, end_ns=None):
        """The fact that a session began, or, with `end_ns`, that it is over."""
        name = " ".join(name.splitlines()) or name
        lines = ["session", f"id={session_id}", f"pid={os.getpid()}", f"begin_ns={begin_ns}"]
        lines += [f"end_ns={end_ns}"] if end_ns is not None else []
        _record().fact("\n".join([*lines, f"name={name}"]))

    def note(self, session_id, text):
        """A line of the report, under the session."""
        _record().fact(f"session_note\nid={session_id}\ntext={' '.join(text.splitlines())}")

    def pump(self):
        """Hands the alerts that came to everybody who listens. Never waits."""
        for alert in profiling.drain_alerts(self.told) if self.told is not None else []:
            for listener in list(self.listeners):
                listener(alert)

    def report(self):
        """The Report: of what there is so far, while the run goes on."""
        from .report import load

        if self.directory is None:
            raise RuntimeError("this program runs under a `stallmeter run` that does not say where its run is kept; it reports "
                               "on all of it when it ends")
        if not self.over:
            _record().mark("looked at")  # what is open reaches up to here
        return load(self.directory)

    def bytes(self):
        """On disk."""
        files = [os.path.join(folder, name) for folder, _, names in os.walk(self.directory) for name in names]
        return sum(os.path.getsize(file) for file in files if os.path.exists(file))

    def remove(self):
        """From the disk."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def join(self, session_id):
        self.sessions.add(session_id)

    def leave(self, session_id):
        """With the last session a run of our own ends, and its trace is whole when this returns."""
        global _current
        self.sessions.discard(session_id)
        if self.sessions or not self.own or self.over:
            return
        _current = None
        self._inside.close()
        _record().session_stop()
        profiling.end_collector(self.told)
        self.over = True
        self.pump()


def _record():
    from . import _inner

    return _inner.record


def _of_others():
    """The run that somebody else records this process into; None: nobody does."""
    if not _record().session_is_open():
        return None
    if profiling._open:
        run = profiling._open[-1]
        return Recording(run.directory, run._told)
    live = os.environ.get("STALLMETER_LIVE", "")
    inside = os.path.dirname(live) if os.path.basename(live) == "live" else None
    return Recording(os.environ.get("STALLMETER_RUN") or inside)


def _free(directory):
    path, number = directory, 2
    while os.path.exists(path):
        path, number = f"{directory}-{number}", number + 1
    return path


def begin(name, *, folder, level, limit_bytes=None, **monitoring):
    """The run for a session of that name: the one under way, or a new one in `folder`; None: in a temporary directory."""
    global _current
    found = _current or _of_others()
    if found is None:
        found = _current = _start(name, folder, level, limit_bytes, monitoring)
    return found


def _start(name, folder, level, limit_bytes, monitoring):
    from . import _inject_folder, _inner

    temporary = folder is None
    if temporary:
        folder = tempfile.mkdtemp(prefix="stallmeter-")
        _temporary.add(folder)
        directory = os.path.join(folder, "run")
    else:
        os.makedirs(folder, exist_ok=True)
        directory = _free(os.path.join(os.path.abspath(folder), name.replace(os.sep, "_")))
    told = profiling.start_collector(directory, level, name, limit_bytes, **monitoring)
    run = Recording(directory, told, own=True, temporary=temporary)
    if temporary:
        weakref.finalize(run, _remove_temporary, folder).atexit = False
    live = profiling.live_directory(directory)
    try:
        _record().session_start(directory=live)
        run._inside.enter_context(profiling.environment(live, _inject_folder()))
        run._inside.enter_context(_variables(STALLMETER_LEVEL=level, STALLMETER_RUN=directory))
        _inner.start()
    except BaseException:
        run._inside.close()
        _record().session_stop()
        profiling.end_collector(told)
        raise
    return run


#: the type of operations that are ours (SM_VOCABULARY_INTERLUDE in src/base/vocabulary.h): their time is not the training's
OURS = "STALLMETER"
#: what a trial of ours is called where it lies inside a recorded run: an operation, and no bottleneck of the training
TRIAL = "stallmeter: trial of a loader's settings"


@contextlib.contextmanager
def interlude(name):
    """What this thread does inside, and the workers it starts for that, is not the training's: recorded is one operation of that
    name and nothing within it."""
    record = _record()
    live = os.environ.pop("STALLMETER_LIVE", None)
    with record.span(name, OURS):
        record.interlude(True)
        try:
            yield
        finally:
            record.interlude(False)
            if live is not None:
                os.environ["STALLMETER_LIVE"] = live


@contextlib.contextmanager
def _variables(**values):
    """Workers read in the environment how closely to look, and other processes where the run is."""
    before = {key: os.environ.get(key) for key in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                os.environ.pop(key, None)
            else:
                os.environ[key] = value


def _remove_temporary(folder):
    """When nothing refers to its run any more; in a forked child it is the parent's."""
    if folder in _temporary:
        _temporary.discard(folder)
        shutil.rmtree(folder, ignore_errors=True)


def remove_all_temporary():
    for folder in list(_temporary):
        _remove_temporary(folder)


def now_ns():
    """The clock of the trace."""
    return time.monotonic_ns()


def _forget():
    """In a forked child: what it records goes on, but the run is its parent's to end."""
    global _current, _inherited, lock
    lock = threading.RLock()
    _inherited = _current  # its environment stays in force
    if _current is not None and _current.told is not None:
        _current.told.end.close()
    _current = None
    _temporary.clear()


os.register_at_fork(after_in_child=_forget)
