"""The fake accelerator for Python; `build()` compiles it first. Times are CLOCK_MONOTONIC in seconds.

    launch(seconds)     queues work                  record() -> event     a place behind all that is queued
    query(event)        whether it was passed        elapsed_ns(a, b)      between two that were
    copy(bytes)         queues a copy                synchronize()         waits until all is done
    busy()              [(begin, end), ...] of all work so far
"""

from __future__ import annotations

import ctypes
import os
import subprocess
from pathlib import Path

BYTES_PER_S = 10e9

_library: ctypes.CDLL | None = None


def build(folder: Path) -> Path:
    """Compiles the library into `folder`; a program finds it by STALLMETER_FAKE_ACCELERATOR."""
    source, library = Path(__file__).with_name("accelerator.c"), Path(folder) / "accelerator.so"
    subprocess.run(["cc", "-std=c17", "-D_GNU_SOURCE", "-O2", "-Wall", "-Werror", "-fPIC", "-shared", "-pthread", str(source),
                    "-o", str(library)], check=True)
    return library


def device() -> ctypes.CDLL:
    global _library
    if _library is None:
        _library = ctypes.CDLL(os.environ["STALLMETER_FAKE_ACCELERATOR"])
        _library.accelerator_launch.argtypes = [ctypes.c_int64]
        _library.accelerator_record.restype = ctypes.c_int64
        _library.accelerator_passed_ns.argtypes = [ctypes.c_uint32]
        _library.accelerator_passed_ns.restype = ctypes.c_int64
        _library.accelerator_work.restype = ctypes.c_bool
    return _library


def launch(seconds: float) -> None:
    if device().accelerator_launch(round(seconds * 1e9)):
        raise RuntimeError("the stream is full")


def copy(bytes: int) -> None:
    launch(bytes / BYTES_PER_S)


def record() -> int:
    event = device().accelerator_record()
    if event < 0:
        raise RuntimeError("the stream is full")
    return event


def query(event: int) -> bool:
    return device().accelerator_passed_ns(event) > 0


def elapsed_ns(first: int, second: int) -> int:
    if not (query(first) and query(second)):
        raise RuntimeError("both events must have been passed")
    return device().accelerator_passed_ns(second) - device().accelerator_passed_ns(first)


def synchronize() -> None:
    device().accelerator_synchronize()


def busy() -> list[tuple[float, float]]:
    begin, end = ctypes.c_int64(), ctypes.c_int64()
    log = []
    while device().accelerator_work(len(log), ctypes.byref(begin), ctypes.byref(end)):
        log.append((begin.value / 1e9, end.value / 1e9))
    return log
