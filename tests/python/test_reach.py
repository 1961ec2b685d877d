"""What is recorded of a stock DataLoader, for every way of starting workers."""

import importlib.util

import pytest
from conftest import inject_folder

if importlib.util.find_spec("torch") is None:
    pytest.skip("torch is not here", allow_module_level=True)

import sys

sys.path.insert(0, str(inject_folder()))
from _stallmeter import vocabulary as v

EPOCHS, SAMPLES, BATCH = 2, 22, 4
TASKS = 6  # of 22 samples

LOADERS = '''
import sys, torch
from torch.utils.data import DataLoader, Dataset, IterableDataset, get_worker_info

class Map(Dataset):
    def __len__(self): return 22
    def __getitem__(self, index): return torch.full((8,), index)

class Stream(IterableDataset):
    def __iter__(self):
        info = get_worker_info()
        for index in range(info.id if info else 0, 22, info.num_workers if info else 1):
            yield torch.full((8,), index)

def main():
    method = sys.argv[1]
    options = dict(num_workers=2, multiprocessing_context=method)
    if method == "fork":
        here_loader = DataLoader(Map(), batch_size=4)
        for epoch in range(2): assert sum(len(batch) for batch in here_loader) == 22
        stream_here_loader = DataLoader(Stream(), batch_size=4)
        for epoch in range(2): assert sum(len(batch) for batch in stream_here_loader) == 22
    fresh_loader = DataLoader(Map(), batch_size=4, **options)
    for epoch in range(2): assert sum(len(batch) for batch in fresh_loader) == 22
    kept_dl = DataLoader(Map(), batch_size=4, persistent_workers=True, **options)
    for epoch in range(2): assert sum(len(batch) for batch in kept_dl) == 22
    stream_loader = DataLoader(Stream(), batch_size=4, **options)
    for epoch in range(2): assert sum(len(batch) for batch in stream_loader) == 22
    stream_kept_dataloader = DataLoader(Stream(), batch_size=4, persistent_workers=True, **options)
    for epoch in range(2): assert sum(len(batch) for batch in stream_kept_dataloader) == 22

if __name__ == "__main__":
    main()
'''

PARALLEL = ["fresh", "kept", "stream", "stream_kept"]
CASES = [("fork", name) for name in ["here", "stream_here", *PARALLEL]]
CASES += [(method, name) for method in ("spawn", "forkserver") for name in PARALLEL]


@pytest.fixture(scope="module")
def jobs(tmp_path_factory, inject):
    """One run per start method, made when first asked for."""
    import os
    import subprocess

    import ring

    made = {}

    def job(method):
        if method not in made:
            folder = tmp_path_factory.mktemp(method)
            (folder / "train.py").write_text(LOADERS)
            (folder / "live").mkdir()
            environment = {**os.environ, "STALLMETER_LIVE": str(folder / "live"), "PYTHONPATH": str(inject)}
            subprocess.run([sys.executable, "train.py", method], cwd=folder, env=environment, check=True, timeout=240)
            made[method] = ring.Job(folder / "live")
        return made[method]

    return job


@pytest.fixture(params=CASES, ids=lambda case: "-".join(case))
def seen(request, jobs):
    method, name = request.param
    return Seen(jobs(method), name, method)


class Seen:
    """One loader's part of a job."""

    def __init__(self, job, name, method):
        self.job, self.name, self.method = job, name, method
        (self.fact,) = [fact for fact in job.main.facts if fact["kind"] == "loader" and fact["name"] == name]
        self.ordinal = int(self.fact["ordinal"])
        self.parallel = self.fact["num_workers"] != "0"
        self.is_map = self.fact["dataset_kind"] == "map"
        self.persistent = self.fact["persistent_workers"] == "1"
        self.worker_facts = [fact for fact in job.main.facts if fact["kind"] == "worker" and int(fact["loader"]) == self.ordinal]

    def of(self, things, role):
        return [thing for thing in things if thing.role == role and thing.args.get(v.KEY_LOADER) == self.ordinal]

    def spans(self, role):
        return self.of(self.job.main.spans, role)

    def marks(self, role):
        return self.of(self.job.main.marks, role)

    def worker(self, iteration, index):
        """The process that ran this worker in this iteration."""
        (fact,) = [fact for fact in self.worker_facts
                   if int(fact["index"]) == index and int(fact["iteration"]) == iteration]
        (process,) = [process for process in self.job.processes if process.pid == int(fact["pid"])]
        return process

    def fetches(self, iteration, index):
        """The BATCH spans of a worker in an iteration, cut at its FETCHER marks."""
        process = self.worker(iteration, index)
        (tid,) = {span.tid for span in process.spans if span.role == v.BATCH}
        marks = [mark for mark in process.marks if mark.role == v.FETCHER]
        number = iteration if self.persistent else 0
        # a resumed worker gets a second fetcher when the iteration after the first begins
        starts = [mark.at for mark in marks] + [1 << 63]
        spans = [span for span in process.spans if span.role == v.BATCH]
        return [span for span in spans if starts[number] <= span.begin < starts[number + 1] and span.tid == tid]


def test_the_loader_is_named_and_described(seen):
    fact = seen.fact
    assert fact["batch_size"] == "4" and fact["collate"] == "default_collate" and fact["pin_memory"] == "0"
    assert fact["dataset"] == ("Map" if seen.is_map else "Stream")
    assert fact.get("start_method") == (seen.method if seen.parallel else None)
    assert fact.get("prefetch_factor") == ("2" if seen.parallel else None)


def test_each_epoch_is_an_iteration(seen):
    assert [span.args[v.KEY_ITERATION] for span in seen.spans(v.ITERATE)] == list(range(EPOCHS))


def test_every_batch_is_asked_for_once(seen):
    for iteration in range(EPOCHS):
        asked = [span for span in seen.spans(v.NEXT) if span.args[v.KEY_ITERATION] == iteration]
        tasks = [span.args.get(v.KEY_TASK) for span in asked]
        assert tasks[-1] is None and None not in tasks[:-1]
        assert tasks[:-1] == sorted(tasks[:-1]) and len(set(tasks)) == TASKS + 1
        if seen.is_map:
            assert tasks[:-1] == list(range(TASKS))
            assert [span.args[v.KEY_COUNT] for span in asked[:-1]] == [4] * 5 + [2]
        assert not any(v.KEY_FAILED in span.args for span in asked)


def test_indices_are_drawn_and_sent(seen):
    drawn = seen.spans(v.SAMPLER)
    assert all(span.second.endswith(f":{span.second.rpartition(':')[2]}") and "sampler" in span.second.lower() or not seen.is_map
               for span in drawn)
    if not seen.parallel:
        assert not seen.marks(v.PUT)
        assert all(span.parent is not None and span.parent.role == v.NEXT for span in drawn)
        return
    for iteration in range(EPOCHS):
        sent = [mark for mark in seen.marks(v.PUT) if mark.args[v.KEY_ITERATION] == iteration]
        assert [mark.args[v.KEY_TASK] for mark in sent] == list(range(len(sent)))
        arrived = [mark.args[v.KEY_TASK] for mark in seen.marks(v.ARRIVE) if mark.args[v.KEY_ITERATION] == iteration]
        asked = [span.args[v.KEY_TASK] for span in seen.spans(v.NEXT)
                 if span.args[v.KEY_ITERATION] == iteration and v.KEY_TASK in span.args]
        assert sorted(arrived) == sorted(asked)


def test_the_nth_fetch_of_a_worker_is_the_nth_task_sent_to_it(seen):
    if not seen.parallel:
        return
    for iteration in range(EPOCHS):
        for index in range(2):
            sent = [mark for mark in seen.marks(v.PUT)
                    if mark.args[v.KEY_ITERATION] == iteration and mark.args[v.KEY_WORKER] == index]
            fetches = seen.fetches(iteration, index)
            assert [span.args[v.KEY_SEQUENCE] for span in fetches] == list(range(len(fetches)))
            assert all(span.args[v.KEY_WORKER] == index for span in fetches)
            if not seen.is_map:  # what is sent to a worker whose data has ended is never fetched
                assert 0 < len(fetches) <= len(sent)
                assert [span.args[v.KEY_COUNT] for span in fetches] == [4, 4, 3, 0]
                continue
            assert len(fetches) == len(sent)
            for mark, span in zip(sent, fetches):
                task = mark.args[v.KEY_TASK]
                assert samples_in(seen.worker(iteration, index), span) == list(range(22))[4 * task:4 * task + 4]


def samples_in(process, batch):
    return [span.args[v.KEY_INDEX] for span in process.spans if span.role == v.SAMPLE and span.parent is batch]


def test_where_the_data_set_runs_every_part_is_seen(seen):
    processes = [seen.worker(i, w) for i in range(EPOCHS) for w in range(2)] if seen.parallel else [seen.job.main]
    for process in processes:
        assert process.role() == ("worker" if seen.parallel else "main")
        for batch in (span for span in process.spans if span.role == v.BATCH and span.args[v.KEY_COUNT] > 0):
            inside = [span for span in process.spans if span.parent is batch]
            samples = [span for span in inside if span.role == v.SAMPLE and span.args.get(v.KEY_COUNT) != 0]
            assert len(samples) == batch.args[v.KEY_COUNT]
            assert [span.name for span in inside if span.role == v.COLLATE] == ["default_collate"]
            assert all(span.second.startswith("train.py:") for span in samples)
            assert (batch.parent is None) == seen.parallel


def test_each_worker_is_known_by_its_process(seen):
    expected = EPOCHS * 2 if seen.parallel else 0
    assert len(seen.worker_facts) == expected
    if expected:
        pids = {fact["pid"] for fact in seen.worker_facts}
        assert len(pids) == (2 if seen.persistent else 4)


def test_what_crosses_between_processes_is_weighed(seen):
    if not seen.parallel:
        return
    packed = {(process.pid, span.args[v.KEY_TASK]) for process in seen.job.workers for span in process.spans
              if span.role == v.SERIALIZE and span.args[v.KEY_BYTES] > 0}
    behind_handles = [span.args[v.KEY_TENSOR_BYTES] for process in seen.job.workers for span in process.spans
                      if span.role == v.SERIALIZE and v.KEY_TENSOR_BYTES in span.args]
    assert sum(size > 0 for size in behind_handles) >= EPOCHS * TASKS
    for iteration in range(EPOCHS):
        for mark in (mark for mark in seen.marks(v.PUT) if mark.args[v.KEY_ITERATION] == iteration):
            task, worker = mark.args[v.KEY_TASK], mark.args[v.KEY_WORKER]
            if seen.is_map:
                assert (seen.worker(iteration, worker).pid, task) in packed
    unpacked = [span for span in seen.job.main.spans if span.role == v.DESERIALIZE and span.parent in seen.spans(v.NEXT)]
    assert len([span for span in unpacked if v.KEY_TASK in span.args]) >= EPOCHS * TASKS
    assert all(span.args[v.KEY_BYTES] > 0 for span in unpacked)


def test_nothing_is_lost_or_left_open(seen):
    for process in seen.job.processes:
        assert process.lost == 0 and process.underflows == 0
    assert seen.job.main.closed == 1
    assert all(span.end is not None for span in seen.job.main.spans)
    assert not [fact for fact in seen.job.main.facts if fact["kind"] in ("estimated", "not_measured")]
