"""The world that the blocks of the specification take for granted, and what runs them in it: see test_specification.py."""

from __future__ import annotations

import contextlib
import enum
import io
import json
import random
import sys
import time
import traceback
from pathlib import Path

import numpy as np
import stallmeter
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset

PHOTOGRAPHS = ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "camera.png", "coins.png"]
SIDE = 64
FILES = 128
QUICK_S = 20


def make_photographs(originals, folder):
    """JPEGs cropped out of the photographs that scikit-image has in its wheel."""
    sources = [Image.open(originals / name).convert("RGB") for name in PHOTOGRAPHS if (originals / name).exists()]
    chance = random.Random(1)
    folder.mkdir()
    for number in range(FILES):
        source = sources[number % len(sources)]
        left, top = chance.randint(0, source.width - 2 * SIDE), chance.randint(0, source.height - 2 * SIDE)
        source.crop((left, top, left + 2 * SIDE, top + 2 * SIDE)).save(folder / f"{number:03d}.jpg", quality=90)


class Photographs(Dataset):
    def __init__(self, folder):
        self.files = sorted(folder.glob("*.jpg"))

    def __len__(self):
        return len(self.files)

    def __getitem__(self, index):
        with Image.open(self.files[index]) as image:
            pixels = np.asarray(image.resize((SIDE, SIDE)), dtype=np.float32)
        return torch.from_numpy(pixels).permute(2, 0, 1), index % len(PHOTOGRAPHS)


def normalize(data):
    """Of one image, or of a batch of them."""
    pixels = np.asarray(data, dtype=np.float32)
    return (pixels - pixels.mean()) / (pixels.std() + 1e-6)


def preprocess_data(data):
    return data / 255.0 - 0.5


class Mine(enum.Enum):
    CUSTOM_ISSUE = "custom issue"


def world(folder):
    """Names that stand in the blocks without a definition."""
    torch.manual_seed(1)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 5, stride=4), torch.nn.ReLU(), torch.nn.Flatten(), torch.nn.LazyLinear(6))
    dataset = Photographs(folder)
    model(dataset[0][0][None])
    names = {name: getattr(stallmeter, name) for name in ("BottleneckType", "ProfilingLevel", "BottleneckProfiler",
                                                          "BottleneckProfilerConfig")}
    return {
        **names, "__name__": "__main__", "torch": torch, "dataset": dataset,
        "data_loader": DataLoader(dataset, batch_size=16, shuffle=True),
        "model": model, "criterion": torch.nn.CrossEntropyLoss(), "optimizer": torch.optim.SGD(model.parameters(), lr=1e-3),
        "num_epochs": 2, "input_data": torch.stack([dataset[i][0] for i in range(8)]), "data": dataset[0][0],
        "preprocess_data": preprocess_data, "my_preprocessing_function": preprocess_data,
        "normalize_function": normalize, "sample_data": [np.asarray(Image.open(path)) for path in dataset.files[:64]],
        "threshold": 3, "CustomBottleneckType": Mine,
    }


# ------------------------------------------------------------------------------- what must be true behind a block, by its heading

def after_basic_usage(here):
    assert here["session"].id == here["session_id"] and not here["session"].running
    assert [row["name"] for row in here["summary"]["operations"]] == ["data_loading"]


def after_data_loading(here):
    assert len(here["profiles"]) >= 16 and here["optimal"].num_workers in (0, 2, 4, 8)
    assert Path(here["report_path"]).exists() and "Optimal workers:" in here["printed"]


def after_preprocessing(here):
    assert here["profile"] is not None and here["batch_profiles"] and here["optimal"] is not None


def after_real_time(here):
    assert here["printed"] == "Active bottlenecks: 0\n" and here["session"].name == "real_time_monitoring"


def after_sessions(here):
    assert here["session1"] != here["session2"] and here["session1_summary"]["running"]
    assert here["session2_summary"]["name"] == "training_phase_2"


def after_detector(here):
    here["profiler"].record_metric("custom_metric", 4)
    found = [row for row in here["profiler"].get_bottleneck_summary()["bottlenecks"] if row["kind"] == "custom"]
    assert [row["type"] for row in found] == ["CUSTOM_ISSUE"], found
    for session in list(here["profiler"].sessions):
        if session.running:
            here["profiler"].stop_profiling_session(session.id)


def after_export(here):
    tensor = torch.load("my_profile.pt")
    assert json.loads(bytes(tensor.tolist()))["schema"] == "stallmeter/profile/1"


def after_tuning(here):
    assert here["printed"].count("% improvement") == 5 and len(here["profile"]) > 5


def after_training(here):
    rows = {row["name"]: row for row in here["summary"]["operations"]}
    assert set(rows) == {"epoch_0_data_loading", "epoch_1_data_loading", "preprocessing", "model_inference", "loss_computation",
                         "backward_pass"}
    steps = -(-FILES // 16)
    assert rows["preprocessing"]["count"] == rows["backward_pass"]["count"] == 2 * steps
    # Decoding the photographs is all that the enclosing operation does itself; the steps inside are not its own.
    for row in (rows["epoch_0_data_loading"], rows["epoch_1_data_loading"]):
        assert row["inclusive_s"] > row["self_s"] > 0
    severities = sum(row["severity"] for row in rows.values())
    assert 0.5 < severities <= 1.0001, severities
    page = Path(here["session"].directory, "report.html").read_text()
    assert "epoch_0_data_loading" in page and "backward_pass" in page
    assert "Training completed with" in here["printed"]


CHECKS = {"1. Basic Usage": after_basic_usage, "2. Data Loading Profiling": after_data_loading,
          "3. Preprocessing Profiling": after_preprocessing, "Real-Time Monitoring": after_real_time,
          "Session Management": after_sessions, "Custom Bottleneck Detection": after_detector, "Export and Import": after_export,
          "Performance Tuning": after_tuning, "Complete Training Loop Profiling": after_training}


def run(block, here):
    """The error, or None; what it printed; seconds."""
    printed, begun = io.StringIO(), time.monotonic()
    error = None
    try:
        with contextlib.redirect_stdout(printed):
            exec(compile(block["source"], f"specification.md:{block['line']}", "exec"), here)
        here["printed"] = printed.getvalue()
        check = CHECKS.get(block["heading"])
        if check:
            check(here)
    except BaseException:
        error = traceback.format_exc()
    return {"line": block["line"], "error": error, "printed": printed.getvalue(), "seconds": time.monotonic() - begun}


def be_quick():
    """All trials of a profiler together take what `profiling_duration` says, and the blocks leave it at its minute."""
    for config in (stallmeter.DataLoadingProfilerConfig, stallmeter.PreprocessingProfilerConfig):
        config.__init__.__defaults__ = tuple(QUICK_S if value == 60 else value for value in config.__init__.__defaults__)
        assert config().profiling_duration == QUICK_S


def main():
    be_quick()
    blocks = json.loads(Path(sys.argv[1]).read_text())
    missing = [heading for heading in CHECKS if heading not in {block["heading"] for block in blocks}]
    assert not missing, f"checks of headings that are not there: {missing}"
    make_photographs(Path(sys.argv[2]), Path("photographs"))
    shared = world(Path("photographs"))
    outcomes = []
    for block in blocks:
        others = is_of_another_profiler(block["source"])
        outcomes.append(run(block, dict(world(Path("photographs"))) if others else shared))
    Path("outcomes.json").write_text(json.dumps(outcomes, indent=1))


def is_of_another_profiler(source):
    """Of the other two profilers: a namespace of its own."""
    return "from data_loading_profiler" in source or "from preprocessing_profiler" in source


if __name__ == "__main__":
    main()
