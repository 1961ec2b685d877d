"""One trial of a DataLoader: it is started, the warm-up left out, batches are timed for a while, and it is ended.

What is timed is the loop: the wait for a batch and, where there is one, the consumer's step with it. The first batches of
all workers belong to the warm-up. Behind them, batches come in bursts of as many as there are workers, so time is
taken from burst to burst: a window that ends in the middle of one would be wrong by up to a burst.

A trial costs the caller no more than the time it was given (a timer of the kernel's ends it, in the main thread), and no
randomness: the states of the generators are put back.
"""

import contextlib
import multiprocessing
import os
import random
import signal
import sys
import threading
import time
import warnings

GROUPS_MAX = 64  # of one trial: more would be noise of the clock and memory for nothing
AGAIN_S = 0.25  # an exception that was raised inside a destructor is lost
FINISHING_S = 0.5  # a worker that was killed never hands over
FINISHED = ("multiprocessing.resource_sharer", "torch.multiprocessing.reductions", "multiprocessing.popen_fork",
            "multiprocessing.popen_spawn_posix", "multiprocessing.popen_forkserver", "logging")
TICKS = os.sysconf("SC_CLK_TCK")
#: what torch says of settings that are tried on purpose
NOISE = ("This DataLoader will create", "'pin_memory' argument is set", "Length of IterableDataset")


class OutOfTime(BaseException):
    """The time that a call was given is over. No Exception, so that no data set takes it for one of its own."""


def torch_data(who):
    """torch.utils.data, or an ImportError that says who needs it."""
    try:
        import torch.utils.data
    except ImportError as error:
        raise ImportError(f"{who} needs PyTorch (import torch: {error})") from None
    return torch.utils.data


# ------------------------------------------------------------------------------------------------- being bounded

def must_be_finished(frame):
    """Whether what is under way must not be left half way: a batch that is taken from its worker, which would complain on the
    terminal; a worker that is started, since what runs around a fork holds locks and loses exceptions."""
    while frame is not None:
        if frame.f_globals.get("__name__") in FINISHED:
            return True
        frame = frame.f_back
    return False


@contextlib.contextmanager
def until(end):
    """Raises OutOfTime inside when time.perf_counter() passes `end`.

    Only where signals can be used: in the main thread, and where SIGALRM is nobody else's. Elsewhere a batch that
    hangs is waited for.
    """
    free = (threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGALRM) == signal.SIG_DFL
            and signal.getitimer(signal.ITIMER_REAL)[0] == 0)
    if not free:
        yield
        return

    def over(number, frame):
        if must_be_finished(frame) and time.perf_counter() < end + FINISHING_S:
            signal.setitimer(signal.ITIMER_REAL, 0.01, AGAIN_S)
            return
        raise OutOfTime

    left = end - time.perf_counter()
    if left <= 0:
        raise OutOfTime
    signal.signal(signal.SIGALRM, over)
    try:
        signal.setitimer(signal.ITIMER_REAL, left, AGAIN_S)
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def is_putting(frame):
    while frame is not None:
        if frame.f_code.co_name == "put" and frame.f_globals.get("__name__") == "multiprocessing.queues":
            return True
        frame = frame.f_back
    return False


@contextlib.contextmanager
def calm():
    """Keeps torch from raising inside Queue.put when a worker dies.

    Its handler of SIGCHLD raises wherever the main thread is. Inside put that may leave the queue's lock taken for ever, and
    the shutdown of the workers then waits for it. A death that is not told at that moment is found by torch's own looks.
    """
    inner = getattr(sys.modules.get("torch.utils.data"), "_utils", None)
    prepare = getattr(getattr(inner, "signal_handling", None), "_set_SIGCHLD_handler", None)
    if prepare is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    prepare()
    raising = signal.getsignal(signal.SIGCHLD)
    if not callable(raising):
        yield
        return

    def unless_putting(number, frame):
        if not is_putting(frame):
            raising(number, frame)

    signal.signal(signal.SIGCHLD, unless_putting)
    try:
        yield
    finally:
        signal.signal(signal.SIGCHLD, raising)


@contextlib.contextmanager
def quiet():
    """Without torch's warnings of settings that are tried on purpose."""
    with warnings.catch_warnings():
        for words in NOISE:
            warnings.filterwarnings("ignore", message=f".*{words}")
        yield


@contextlib.contextmanager
def same_randomness(*generators):
    """What is drawn inside is put back: the program draws afterwards what it would have drawn without us."""
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    held = [generator for generator in generators if hasattr(generator, "get_state")]
    states = [generator.get_state() for generator in held]
    plain = random.getstate()
    of_torch = torch.get_rng_state() if torch else None
    of_numpy = numpy.random.get_state() if numpy else None
    try:
        yield
    finally:
        random.setstate(plain)
        if torch:
            torch.set_rng_state(of_torch)
        if of_numpy is not None:
            numpy.random.set_state(of_numpy)
        for generator, state in zip(held, states, strict=True):
            generator.set_state(state)


def close(iterator, end):
    """Ends an iterator's workers. They may finish the batch in hand as torch lets them, but not beyond `end`."""
    shutdown = getattr(iterator, "_shutdown_workers", None)
    if shutdown is None:
        return
    inner = getattr(sys.modules["torch.utils.data"], "_utils", None)
    usual = getattr(inner, "MP_STATUS_CHECK_INTERVAL", None)
    if usual is not None:  # how long torch waits for each worker before it sends SIGTERM
        inner.MP_STATUS_CHECK_INTERVAL = min(usual, max(end - time.perf_counter(), 0.05))
    try:
        shutdown()
    finally:
        if usual is not None:
            inner.MP_STATUS_CHECK_INTERVAL = usual
        multiprocessing.active_children()  # reaps


# ----------------------------------------------------------------------------------------- what processes used

def memory_of(pid):
    """(PSS, RSS) in bytes of a process, or None."""
    try:
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
            found = dict(line.split(":", 1) for line in file if ":" in line)
        return tuple(int(found[key].split()[0]) * 1024 for key in ("Pss", "Rss"))
    except (OSError, KeyError, ValueError):
        return None


def cpu_of(pid):
    """CPU seconds of a process, all threads, or None."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS
    except (OSError, IndexError, ValueError):
        return None


def read_of(pid):
    """Bytes that a process has had read from storage, or None."""
    try:
        with open(f"/proc/{pid}/io", encoding="ascii") as file:
            return next((int(line.split()[1]) for line in file if line.startswith("read_bytes:")), None)
    except (OSError, IndexError, ValueError):
        return None


def total(of, pids):
    """The sum over processes, None where one cannot be told: a sum without it would be no sum."""
    values = [of(pid) for pid in pids]
    return None if None in values else sum(values)


def samples_in(batch, otherwise):
    from _stallmeter import plain_loader

    return otherwise or plain_loader.samples_in(batch)


# ------------------------------------------------------------------------------------------------------ a trial

class Trial:
    """What one trial saw. `seconds` holds seconds a sample, one entry a group of batches; None is what was not measured."""

    def __init__(self):
        self.seconds = []
        self.batches = self.samples = 0
        self.wall_s = 0.0  # of the measured batches
        self.warm_s = 0.0  # from the first batch to the end of the warm-up
        self.first_s = None  # from making the iterator to the first batch
        self.border_s = None  # from the last batch of an epoch to the first of the next
        self.worker_pss = self.worker_rss = self.main_pss = self.main_rss = None
        self.cpu_s = self.read_bytes = None
        self.last_batch = None
        self.error = None
        self.out_of_time = False


class Window:
    """Times batches, in groups as large as a burst; the border between two passes is in no group."""

    def __init__(self, trial, burst):
        self.trial, self.burst = trial, burst
        self.open(None)

    def open(self, at):
        self.began, self.batches, self.samples = at, 0, 0

    def add(self, at, samples):
        self.batches += 1
        self.samples += samples
        if self.batches == self.burst:
            trial = self.trial
            trial.seconds.append((at - self.began) / self.samples)
            trial.batches += self.batches
            trial.samples += self.samples
            trial.wall_s += at - self.began
            self.open(at)


def thinned(values, most=GROUPS_MAX):
    """Neighbours joined into at most `most` groups of one size; a rest at the end that fills none is left out."""
    size = max(1, -(-len(values) // most))
    whole = len(values) // size * size
    return [sum(values[i:i + size]) / size for i in range(0, whole, size)]


def run(loader, *, seconds, end, consumer=None, least=1, samples=None, border=False):
    """Tries a loader for about `seconds`, start and warm-up included, but for at least `least` groups of batches, and never
    beyond `end`.

    `samples`: in every batch, where that is known. `border`: the epoch that the loader's sampler says comes first is run
    through, and the border behind it is timed. Errors of the loader or the consumer are told in the result.
    """
    trial = Trial()
    burst = max(1, getattr(loader, "num_workers", 0))
    state = {"iterator": None}
    children = {child.pid for child in multiprocessing.active_children()}
    with quiet(), calm():
        try:
            with until(end):
                if border:
                    _run_border(loader, trial, state, consumer)
                _run_measured(loader, trial, state, consumer, burst, seconds, least, samples, children)
        except OutOfTime:
            trial.out_of_time = True
        except Exception as error:
            trial.error = said(error)
        finally:
            with contextlib.suppress(Exception):
                close(state["iterator"], end)
            state.clear()
    trial.seconds = thinned(trial.seconds)
    return trial


def _run_border(loader, trial, state, consumer):
    """Through one epoch, to its end."""
    for batch in _passing(loader, state):
        if consumer:
            consumer(batch)
        trial.border_s = time.perf_counter()


def _passing(loader, state):
    state["iterator"] = iter(loader)
    return state["iterator"]


def _run_measured(loader, trial, state, consumer, burst, seconds, least, samples, children):
    window, counters, empty = Window(trial, burst), None, 0
    began = time.perf_counter()
    ends = began + seconds
    while True:
        seen = 0
        for batch in _passing(loader, state):
            at = time.perf_counter()
            if trial.first_s is None:
                trial.first_s = at - began
                trial.border_s = None if trial.border_s is None else at - trial.border_s
            if consumer:
                consumer(batch)
                at = time.perf_counter()
            seen += 1
            if seen < burst:
                continue
            if seen == burst:
                pids = [child.pid for child in multiprocessing.active_children() if child.pid not in children]
                counters = counters or Counters(pids)
                window.open(time.perf_counter())
                trial.warm_s = trial.warm_s or window.began - began - trial.first_s
                continue
            window.add(at, samples_in(batch, samples))
            if at >= ends and window.batches == 0 and len(trial.seconds) >= least:
                trial.last_batch = batch
                counters.read(trial)
                return
        empty = empty + 1 if seen <= burst else 0
        if empty == 2 or not seen:
            raise ValueError(f"dataset: it gave {seen} batches, too few to time with {burst} at a time")


class Counters:
    """What the loader's processes and this one use from here on."""

    def __init__(self, workers):
        self.workers = workers
        self.cpu = total(cpu_of, workers), time.process_time()
        self.bytes = total(read_of, [*workers, os.getpid()])

    def read(self, trial):
        cpu, main = total(cpu_of, self.workers), time.process_time() - self.cpu[1]
        bytes = total(read_of, [*self.workers, os.getpid()])
        trial.cpu_s = None if cpu is None or self.cpu[0] is None else cpu - self.cpu[0] + main
        trial.read_bytes = None if bytes is None or self.bytes is None else bytes - self.bytes
        found = [memory_of(pid) for pid in self.workers]
        if None not in found:
            trial.worker_pss, trial.worker_rss = (sum(values) for values in zip(*found, strict=True)) if found else (0, 0)
        trial.main_pss, trial.main_rss = memory_of(os.getpid()) or (None, None)


def said(error):
    """An error as one line: its kind, and what matters of torch's longer stories."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    text = lines[0] if lines else ""
    if text.startswith("Caught ") and len(lines) > 1:  # torch: an error of a worker, with its traceback as text
        return f"{lines[-1]} (in a worker)"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
