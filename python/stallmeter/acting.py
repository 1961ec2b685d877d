"""Changes a DataLoader's settings, proves that it helped, and takes the change back when it did not.

    loader = acting.wrap(loader)                 # behaves as the loader
    done = loader.change({"num_workers": 4})     # tried beside the old setting; in force from the next epoch on
    loader.optimizations                         # everything that was tried, kept, taken back or refused, and why

Only what leaves the training's batches as they are is changed: the workers, how far they run ahead, pinned memory, whether
workers live on, and the threads of each. Never the batch size, never the order. The sampler, the generator and the data set
stay the same objects. What changes all the same is said in the result: another number of workers means other seeds in
each worker, so that random transforms draw other numbers.
"""

import time
import weakref

from . import recording, trial_loaders, trials
from .trials import torch_data

#: what may be changed, and what it is read as
SAFE = {"num_workers": int, "prefetch_factor": int, "pin_memory": bool, "persistent_workers": bool, "worker_threads": int}
SEEDS = ("the seed of each worker is another with another num_workers, so random transforms that run in workers draw other "
         "numbers")
PINNED = "pinned memory is taken from all programs of the machine; it is given back when the loader is gone"
CLOSING_S = 5.0  # as long as torch waits for a worker itself
ROUNDS = 6  # of a paired trial, each of both sides
HELPED_LEAST = 1.01  # at the lower end: the 1 % below which the detectors take two settings for one (src/detect/judge.h)
HARMLESS_LEAST = 0.98  # of a change that frees memory (SM_JUDGE_HARMLESS_PERCENT)
PAIRS_LEAST = 5  # what an interval needs (SM_STUDY_VALUES_MIN in study.h)


def why_not(loader):
    """Why nothing may be changed of a loader, in one sentence; None where it may."""
    data = torch_data("to change a loader's settings")
    if isinstance(loader, Acting):
        loader = loader.loader
    if not isinstance(loader, data.DataLoader):
        return f"it is no torch DataLoader but a {type(loader).__name__}"
    if isinstance(loader.dataset, data.IterableDataset):
        return ("its data set is iterable: each worker has a copy of it, so that another number of workers may give other "
                "samples, or the same ones several times")
    if type(loader).__iter__ is not data.DataLoader.__iter__:
        return f"a {type(loader).__name__} iterates in a way of its own"
    return None


def safe(change):
    """The part of a suggestion's `change` that may be applied, and why the rest may not: (dict, {key: reason})."""
    taken, refused = {}, {}
    for key, value in dict(change).items():
        if key in SAFE:
            taken[key] = SAFE[key](value)
        else:
            changes = key in ("batch_size", "in_order")
            refused[key] = f"{key} changes what the training gets" if changes else f"{key} is no setting of a loader"
    return taken, refused


class WorkerThreads:
    """A worker_init_fn that gives its worker so many threads, behind the one that was there."""

    def __init__(self, count, inner):
        self.count, self.inner = count, inner

    def __call__(self, worker):
        import sys

        import torch

        if self.inner is not None:
            self.inner(worker)
        torch.set_num_threads(self.count)
        cv2 = sys.modules.get("cv2")
        if cv2 is not None:
            cv2.setNumThreads(self.count)


def threads_of(loader):
    """How many threads its workers were given by us; None: nothing was changed."""
    return loader.worker_init_fn.count if isinstance(loader.worker_init_fn, WorkerThreads) else None


def changed(loader, change, **attributes):
    """A copy of a loader with a safe change."""
    settings = {key: value for key, value in change.items() if key in trial_loaders.SETTINGS}
    if "worker_threads" in change:
        inner = loader.worker_init_fn
        inner = inner.inner if isinstance(inner, WorkerThreads) else inner
        attributes["worker_init_fn"] = WorkerThreads(change["worker_threads"], inner)
    return trial_loaders.other(loader, settings, **attributes)


def what_differs(loader, change):
    """The entries of a change that are not so already."""
    now = {**trial_loaders.settings_of(loader), "worker_threads": threads_of(loader)}
    wanted = trial_loaders.possible({**now, **change})
    return {key: wanted[key] for key in change if wanted[key] != now.get(key) and wanted[key] is not None}


def frees_memory(change, before):
    """Whether a change is for fewer workers or fewer batches under way, and nothing else."""
    return all(key in ("num_workers", "prefetch_factor") and (before[key] or 0) > value for key, value in change.items())


# ------------------------------------------------------------------------------------------------- a paired trial

class Comparison:
    """A paired trial of two loaders: what an epoch takes with each, as seconds for a sample or, where only the border between
    epochs differs, for an epoch. `speedup` is (ratio, low, high), above 1 where the second is faster; None: not told, and
    `reason` says why."""

    def __init__(self):
        self.before, self.after = [], []
        self.speedup = self.reason = None

    def reaches(self, least):
        """Whether the speed-up is so much beyond doubt."""
        return self.speedup is not None and self.speedup[1] >= least


def compare(before, after, *, consumer=None, seconds=10.0, seed=trial_loaders.SEED):
    """Tries two loaders in turns, on samples of our own choice in the loader's manner, for about `seconds` in all."""
    from . import _read

    found, end = Comparison(), time.perf_counter() + seconds
    border, longest = bool(before.persistent_workers) != bool(after.persistent_workers), 0.0
    sides = [(before, found.before), (after, found.after)]
    try:
        with recording.interlude(recording.TRIAL), trials.same_randomness(before.generator):
            lists = trial_loaders.lists_of(before, seed)
            for round in range(ROUNDS):
                for loader, values in sides if round % 2 == 0 else reversed(sides):
                    began = time.perf_counter()
                    if end - began < longest:
                        raise Enough
                    share = (end - began) / (2 * ROUNDS - len(found.before) - len(found.after))
                    found.reason = _one(loader, lists, values, share, end, consumer, border)
                    if found.reason:
                        raise Enough
                    longest = max(longest, time.perf_counter() - began)
    except Enough:
        pass
    except TypeError as error:
        found.reason = str(error)
    pairs = min(len(found.before), len(found.after))
    if pairs >= PAIRS_LEAST:
        found.reason, found.speedup = None, _read.compare(found.before[:pairs], found.after[:pairs])
    elif not found.reason:
        found.reason = f"{seconds:.3g} s are enough for {pairs} rounds, and {PAIRS_LEAST} are the least to judge by"
    return found


class Enough(Exception):
    """A trial came to nothing: what there is must do."""


def _one(loader, lists, values, seconds, end, consumer, border):
    """One side of one round; a reason where it came to nothing."""
    first = 2 * max(1, loader.num_workers)
    made = trial_loaders.for_trial(loader, {}, lists, [first] if border else [])
    trial = trials.run(made, seconds=seconds, end=end, consumer=consumer, samples=loader.batch_size, border=border)
    if trial.error:
        return trial.error
    if not trial.seconds:
        return "the time was over before enough batches came"
    pace = sum(trial.seconds) / len(trial.seconds)
    if border:
        batch = loader.batch_size or 1
        values.append(trial.border_s + pace * batch * max(len(loader) - 1, 0))
    else:
        values.append(pace)
    return None


class StandIn:
    """Takes as long as the training's step did, and computes as much of it: for trials between epochs."""

    def __init__(self, seconds, computing):
        self.seconds, self.computing = seconds, computing

    def __call__(self, batch):
        end = time.perf_counter() + self.seconds
        computed = time.thread_time() + self.seconds * self.computing
        while time.thread_time() < computed and time.perf_counter() < end:
            pass
        left = end - time.perf_counter()
        if left > 0:
            time.sleep(left)


# ------------------------------------------------------------------------------------------------ a wrapped loader

class Acting:
    """Stands for a DataLoader, which it replaces by a copy with other settings between two epochs."""

    def __init__(self, loader, consumer=None, seconds=10.0):
        vars(self).update(loader=loader, consumer=consumer, seconds=seconds, optimizations=[], before_epoch=None,
                          _next=None, _under_way=weakref.WeakSet(), _steps=[0, 0.0, 0.0])

    @property
    def __class__(self):
        return type(vars(self)["loader"])  # isinstance(wrapped, DataLoader), as frameworks ask

    def __iter__(self):
        if self.before_epoch is not None and not self._under_way:
            self.before_epoch(self)
        self._settle()
        epoch = Epoch(iter(self.loader), self)
        self._under_way.add(epoch)
        return epoch

    def _settle(self):
        if vars(self)["_next"] is not None and not self._under_way:
            old = self.loader
            vars(self).update(loader=self._next, _next=None)
            if old._iterator is not None:  # workers that would live on beside the new ones
                trials.close(old._iterator, time.perf_counter() + CLOSING_S)
                old._iterator = None

    def __len__(self):
        return len(self.loader)

    def __getattr__(self, name):
        return getattr(vars(self)["loader"], name)

    def __setattr__(self, name, value):
        if name in vars(self) or isinstance(getattr(type(self), name, None), property):
            vars(self)[name] = value
        else:
            setattr(self.loader, name, value)

    def __repr__(self):
        return f"<acting on {self.loader!r}>"

    @property
    def settings(self):
        """Those in force from the next epoch on."""
        newest = self._next or self.loader
        threads = threads_of(newest)
        return {**trial_loaders.settings_of(newest), **({"worker_threads": threads} if threads else {})}

    def step(self):
        """What stands for the training's step in a trial: the consumer that was given, or one as long as the steps so far."""
        count, wall, cpu = self._steps
        if self.consumer is not None or not count:
            return self.consumer
        return StandIn(wall / count, min(1.0, cpu / wall) if wall > 0 else 0.0)

    def change(self, change, why="", seconds=None):
        """Tries a change beside what is in force, and keeps it where it was faster beyond doubt; one for fewer workers or fewer
        batches under way, which frees memory, where it was no slower.

        Takes effect at the next epoch; an epoch that is under way is left alone. Returns what was done: `change`, `before`,
        `state` (kept, taken_back or refused), `reason`, `speedup` as (low, value, high) or None, `disclosed`, `why`.
        """
        newest = self._next or self.loader
        taken, refused = safe(change)
        done = {"change": taken or dict(change), "before": self.settings, "why": why, "state": "refused", "reason": "",
                "speedup": None, "disclosed": []}
        self.optimizations.append(done)
        done["reason"] = why_not(newest) or ("" if taken else "; ".join(refused.values()) or "it changes nothing")
        if not done["reason"]:
            taken = what_differs(newest, taken)
            done["change"], done["reason"] = (taken, "") if taken else (done["change"], "it is so already")
        if done["reason"]:
            return done
        candidate = changed(newest, taken)
        found = compare(newest, candidate, consumer=self.step(), seconds=self.seconds if seconds is None else seconds)
        done["disclosed"] = [text for key, text in (("num_workers", SEEDS), ("pin_memory", PINNED)) if key in taken]
        if found.speedup:
            ratio, low, high = found.speedup
            done["speedup"] = [low, ratio, high]
        frees = frees_memory(taken, done["before"])
        if found.reaches(HARMLESS_LEAST if frees else HELPED_LEAST):
            vars(self)["_next"] = candidate
            words = "no slower in a paired trial, and it frees memory" if frees else "faster in a paired trial"
            done.update(state="kept", reason=f"{words}; in force from the next epoch on")
            self._settle()
        else:
            words = "slower in a paired trial, or it may be" if frees else "no faster in a paired trial beyond doubt"
            done.update(state="taken_back", reason=found.reason or words)
        return done

    def restore(self, settings):
        """Puts settings into force again without a trial, from the next epoch on."""
        vars(self)["_next"] = changed(self._next or self.loader, settings)
        self._settle()


class Epoch:
    """One pass over a wrapped loader; notes how long the steps take, and that it is over."""

    def __init__(self, iterator, acting):
        self._iterator, self._acting, self._since = iterator, acting, None

    def __iter__(self):
        return self

    def __next__(self):
        if self._since is not None:
            steps = self._acting._steps
            steps[0] += 1
            steps[1] += time.perf_counter() - self._since[0]
            steps[2] += time.thread_time() - self._since[1]
        try:
            batch = next(self._iterator)
        except BaseException:
            self._since = None
            self._acting._under_way.discard(self)
            raise
        self._since = time.perf_counter(), time.thread_time()
        return batch

    def __len__(self):
        return len(self._iterator)

    def __getattr__(self, name):
        return getattr(self._iterator, name)


def wrap(loader, consumer=None, seconds=10.0):
    """Stands for a loader and can act on it. `consumer(batch)` is the training's step, for trials; without one, trials
    take as long over a batch as the steps of the epochs so far. `seconds` bounds each trial.

    TypeError for what is no loader or must not be changed, with the reason.
    """
    if type(loader) is Acting:
        return loader
    reason = why_not(loader)
    if reason:
        raise TypeError(f"loader: nothing can be changed of it: {reason}")
    return Acting(loader, consumer, seconds)
