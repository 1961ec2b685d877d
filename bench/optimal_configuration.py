#!/usr/bin/env python3
"""How near get_optimal_configuration() comes to the best of the exhaustive grid, which is measured afterwards.

Three data sets: JPEGs that are decoded (the CPU binds), samples that wait (latency binds), tensors in memory (nothing
does, and workers only cost). Each is profiled three times; then every configuration of the grid that may be proposed, within
usable cores or four times as many for samples that wait, is measured in eight rounds in random order, for longer than the
profiler did. Prints `name value unit` lines: `worst_shortfall` is how far below the best the worst of the nine choices is.
With a word only the data sets whose name holds it.
"""

from __future__ import annotations

import io
import os
import random
import sys
import tempfile
import time

import torch
from stallmeter import DataLoadingProfiler, DataLoadingProfilerConfig, trials
from stallmeter.loading_grid import VARIED, Configuration, Grid
from torch.utils.data import Dataset, TensorDataset

BATCHES, WORKERS = [16, 64], [0, 1, 2, 4, 8]
PROFILED_S, TIMES = 30, 3
ROUNDS, ROUND_S = 8, 1.0


class Photos(Dataset):
    """256 x 256 JPEGs of noise that is smooth enough to compress, decoded and scaled."""

    def __init__(self, count: int = 64):
        from PIL import Image

        generator = torch.Generator().manual_seed(0)
        self.files = []
        for _ in range(count):
            coarse = torch.randint(256, (32, 32, 3), generator=generator, dtype=torch.uint8)
            file = io.BytesIO()
            Image.fromarray(coarse.numpy()).resize((256, 256)).save(file, "JPEG", quality=90)
            self.files.append(file.getvalue())

    def __len__(self) -> int:
        return 100_000

    def __getitem__(self, index: int) -> torch.Tensor:
        from PIL import Image

        image = Image.open(io.BytesIO(self.files[index % len(self.files)])).convert("RGB").resize((128, 128))
        return torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8).view(128, 128, 3)


class Far(Dataset):
    """Samples of a store that answers after 5 ms."""

    def __len__(self) -> int:
        return 100_000

    def __getitem__(self, index: int) -> torch.Tensor:
        time.sleep(0.005)
        return torch.zeros(64)


def data_sets() -> dict[str, Dataset]:
    return {"decoded_jpegs": Photos(), "far_reads": Far(), "tensors": TensorDataset(torch.randn(20_000, 3, 32, 32))}


def rates_of(grid: Grid, most_workers: int) -> dict[Configuration, float]:
    """Samples a second of each configuration, over all rounds; what fails has none."""
    order = random.Random(0)
    proposable = [setting for setting in grid.configurations if setting.num_workers <= most_workers]
    seconds: dict[Configuration, list[float]] = {setting: [] for setting in proposable}
    lists = {setting.batch_size: grid.lists(setting) for setting in seconds}
    for _ in range(ROUNDS):
        for setting in order.sample(list(seconds), len(seconds)):
            with trials.quiet():
                loader = grid.trial_loader(setting, lists[setting.batch_size])
            trial = trials.run(loader, seconds=ROUND_S, end=time.perf_counter() + 60, least=2, samples=setting.batch_size)
            seconds[setting] += trial.seconds
    return {setting: len(values) / sum(values) for setting, values in seconds.items() if values}


def main() -> int:
    torch.set_num_threads(1)
    words, worst = sys.argv[1:], 0.0
    os.chdir(tempfile.mkdtemp())
    for name, dataset in data_sets().items():
        if words and not any(word in name for word in words):
            continue
        config = DataLoadingProfilerConfig(profiling_duration=PROFILED_S, batch_size_range=BATCHES, worker_range=WORKERS,
                                           save_profiles=False)
        chosen = []
        for _ in range(TIMES):
            profiler = DataLoadingProfiler(config)
            profiler.profile_configuration_range(dataset)
            optimal = profiler.get_optimal_configuration()
            chosen.append(optimal.profile.configuration)
            print(f"# {name}: {optimal.confidence}: {optimal.why}", flush=True)
        rates = rates_of(Grid(dataset, config, {}, dict.fromkeys(VARIED)), profiler.workers_most())
        best = max(rates, key=rates.__getitem__)
        for setting, rate in rates.items():
            print(f"# {name}: {rate:.5g} samples/s with {setting}")
        for number, setting in enumerate(chosen):
            shortfall = 1 - rates[setting] / rates[best]
            worst = max(worst, shortfall)
            print(f"{name}_{number} {shortfall:.4f} share of the best, {best}", flush=True)
    print(f"worst_shortfall {worst:.4f} share")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
