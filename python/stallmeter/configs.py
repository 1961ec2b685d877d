"""What the three profilers are told: dataclasses whose fields are checked whenever they are set.

A wrong type is a TypeError and a value out of range a ValueError; both name the field.
"""

# The fields have the types that their specification prints, to the letter.
# ruff: noqa: UP006, UP035
import os
from dataclasses import dataclass, field
from typing import List

from .kinds import ProfilingLevel


def _flag(name, value):
    if type(value) is not bool:
        raise TypeError(f"{name}: {value!r} is neither True nor False")
    return value


def _number(name, value):
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name}: {value!r} is not a number")
    return value


def _positive(name, value):
    if not 0 < _number(name, value) < float("inf"):
        raise ValueError(f"{name}: {value!r} is not above 0")
    return value


def _share(name, value):
    if not 0 <= _number(name, value) <= 1:
        raise ValueError(f"{name}: {value!r} is no share, 0 to 1")
    return value


def _level(name, value):
    try:
        return ProfilingLevel(value)
    except ValueError:
        raise ValueError(f"{name}: {value!r} is none of {', '.join(map(str, ProfilingLevel))}") from None


def _path(name, value):
    if not isinstance(value, (str, os.PathLike)):
        raise TypeError(f"{name}: {value!r} is no path")
    if not os.fspath(value):
        raise ValueError(f"{name}: it is empty")
    return value


def _whole(name, value, least):
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name}: {value!r} is not a whole number")
    if value < least:
        raise ValueError(f"{name}: {value!r} is below {least}")
    return int(value)


def _range(least):
    def check(name, value):
        if isinstance(value, (str, bytes)) or not hasattr(value, "__iter__"):
            raise TypeError(f"{name}: {value!r} is no list of whole numbers")
        numbers = [_whole(name, item, least) for item in value]
        if not numbers:
            raise ValueError(f"{name}: it is empty")
        return numbers

    return check


def _count(name, value):
    return _whole(name, value, 0)


_CHECKS = {
    "profiling_level": _level,
    "sampling_interval": _positive,
    "bottleneck_threshold": _share,
    "memory_threshold": _share,
    "gpu_threshold": _share,
    "profiling_duration": _positive,
    "batch_size_range": _range(1),
    "worker_range": _range(0),
    "cache_size": _count,
    "profile_output_dir": _path,
}


class _Checked:
    """A field is checked when it is set, so a config that exists is a config that makes sense."""

    def __setattr__(self, name, value):
        if name not in self.__dataclass_fields__:
            raise AttributeError(f"{type(self).__name__} has no field {name!r}; there are: "
                                 f"{', '.join(self.__dataclass_fields__)}")
        object.__setattr__(self, name, _CHECKS.get(name, _flag)(name, value))


@dataclass
class BottleneckProfilerConfig(_Checked):
    """Of BottleneckProfiler. The thresholds are shares: of the session's time, of the memory, of a device's memory."""

    profiling_level: ProfilingLevel = ProfilingLevel.DETAILED
    enable_real_time_monitoring: bool = True
    enable_memory_tracking: bool = True
    enable_gpu_tracking: bool = True
    enable_cpu_tracking: bool = True
    enable_io_tracking: bool = True
    sampling_interval: float = 0.1  # seconds
    bottleneck_threshold: float = 0.05  # of the session's wall time
    memory_threshold: float = 0.8  # of the memory that the job may use
    gpu_threshold: float = 0.9  # of a device's memory
    auto_optimize: bool = False
    save_profiles: bool = True
    profile_output_dir: str = "bottleneck_profiles"


@dataclass
class DataLoadingProfilerConfig(_Checked):
    """Of DataLoadingProfiler. `profiling_duration` bounds all trials of one call together."""

    enable_memory_tracking: bool = True
    enable_gpu_tracking: bool = True
    enable_cpu_tracking: bool = True
    enable_io_tracking: bool = True
    profiling_duration: int = 60  # seconds
    batch_size_range: List[int] = field(default_factory=lambda: [16, 32, 64, 128])
    worker_range: List[int] = field(default_factory=lambda: [0, 2, 4, 8])
    save_profiles: bool = True
    profile_output_dir: str = "data_loading_profiles"
    auto_optimize: bool = False


@dataclass
class PreprocessingProfilerConfig(_Checked):
    """Of PreprocessingProfiler. `profiling_duration` bounds one call of a profile_... method."""

    enable_memory_tracking: bool = True
    enable_gpu_tracking: bool = True
    enable_cpu_tracking: bool = True
    enable_io_tracking: bool = True
    profiling_duration: int = 60  # seconds
    batch_size_range: List[int] = field(default_factory=lambda: [1, 8, 16, 32, 64])
    enable_caching: bool = True
    cache_size: int = 1000  # entries
    save_profiles: bool = True
    profile_output_dir: str = "preprocessing_profiles"
    auto_optimize: bool = False
