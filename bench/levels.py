#!/usr/bin/env python3
"""What each level of BottleneckProfiler costs: `bench/levels.py [PAIRS]`, with stallmeter and PyTorch installed.

One epoch over photographs in memory, decoded and transformed in two workers, in a session of each level and without one, in
turns. Counted is CPU time of the job with its workers and of the collector, which a busy machine changes little; seconds of
the clock it would change much. A line for each level: CPU with / without, the trace's bytes for a batch, and the nanoseconds
of an operation.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

from measure import ROOT, in_turns, interval_of_ratios, output_of, scratch

LEVELS = ("basic", "detailed", "comprehensive", "production")
SAMPLES, BATCH, OPERATIONS = 1600, 16, 100_000


def job(level: str, folder: str) -> None:
    """In a process of its own; prints what it cost."""
    sys.path.insert(0, str(ROOT / "examples"))
    import io
    import random

    import torch
    from PIL import Image
    from stallmeter import BottleneckProfiler, BottleneckProfilerConfig, BottleneckType
    from torch.utils.data import DataLoader, Dataset
    from train_photos import ColorJitter, Compose, RandomMirror, RandomResizedCrop, ToTensor

    chance = random.Random(0)
    pixels = Image.frombytes("RGB", (256, 256), chance.randbytes(256 * 256 * 3)).resize((64, 64)).resize((256, 256))
    held = io.BytesIO()
    pixels.save(held, "JPEG")

    class Photographs(Dataset):
        transform = Compose([RandomResizedCrop(64), RandomMirror(), ColorJitter(), ToTensor()])

        def __len__(self) -> int:
            return SAMPLES

        def __getitem__(self, index: int) -> torch.Tensor:
            return self.transform(Image.open(io.BytesIO(held.getvalue())).convert("RGB"))

    torch.set_num_threads(1)
    profiler = BottleneckProfiler(BottleneckProfilerConfig(profiling_level=level, profile_output_dir=folder) if level else None)
    if level:
        profiler.start_profiling_session("epoch")
    begun = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    for batch in DataLoader(Photographs(), batch_size=BATCH, num_workers=2):
        with profiler.profile_operation("step", BottleneckType.CPU_COMPUTATION):
            batch.mean()
    ended = resource.getrusage(resource.RUSAGE_SELF), resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = sum(after.ru_utime + after.ru_stime for after in ended) - sum(before.ru_utime + before.ru_stime for before in begun)
    own_s, size = 0.0, 0
    if level:
        session = profiler.stop_profiling_session()
        own_s, size = session.report.run.overhead.cpu_s or 0.0, (Path(session.directory) / "rank0.stall").stat().st_size
        profiler.start_profiling_session("operations")
    since = time.process_time()
    for _ in range(OPERATIONS):
        with profiler.profile_operation("operation"):
            pass
    each_ns = (time.process_time() - since) / OPERATIONS * 1e9
    print(json.dumps({"cpu_s": cpu_s + own_s, "bytes": size / (SAMPLES / BATCH), "ns": each_ns}))


def measured(level: str) -> dict[str, float]:
    with scratch() as folder:
        return json.loads(output_of([sys.executable, __file__, "--job", level, folder]))


def main() -> None:
    if sys.argv[1:2] == ["--job"]:
        return job(sys.argv[2], sys.argv[3])
    pairs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    for level in LEVELS:
        seen: list[dict[str, float]] = []

        def with_us(level: str = level, seen: list[dict[str, float]] = seen) -> float:
            seen.append(measured(level))
            return seen[-1]["cpu_s"]

        rows = in_turns(lambda: measured("")["cpu_s"], with_us, pairs)
        interval = interval_of_ratios([after / before for before, after in rows])
        print(f"{level:14} CPU {interval}   {seen[-1]['bytes']:.0f} bytes a batch   {seen[-1]['ns']:.0f} ns an operation")
    return None


if __name__ == "__main__":
    main()
