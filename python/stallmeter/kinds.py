"""The enumerations of the three profilers. A member's value is its name as reports write it."""

import enum


class _Named(str, enum.Enum):
    """Compares equal to its own name, so that what a report says can be compared with a member."""

    def __str__(self):
        return self.value


class ProfilingLevel(_Named):
    """How much is recorded; docs/bottleneck-profiler.md has what each level costs."""

    BASIC = "basic"
    DETAILED = "detailed"
    COMPREHENSIVE = "comprehensive"
    PRODUCTION = "production"


class BottleneckType(_Named):
    """What an operation of a session is, as its author says."""

    DATA_LOADING = "DATA_LOADING"
    PREPROCESSING = "PREPROCESSING"
    CPU_COMPUTATION = "CPU_COMPUTATION"
    GPU_COMPUTATION = "GPU_COMPUTATION"
    GPU_TRANSFER = "GPU_TRANSFER"
    MEMORY = "MEMORY"
    DISK_IO = "DISK_IO"
    NETWORK_IO = "NETWORK_IO"
    SYNCHRONIZATION = "SYNCHRONIZATION"
    CUSTOM = "CUSTOM"
    UNKNOWN = "UNKNOWN"


class DataLoadingBottleneck(_Named):
    """What can hold a DataLoader back; `stallmeter explain NAME` has the rule of each."""

    SLOW_DISK_IO = "SLOW_DISK_IO"
    INSUFFICIENT_WORKERS = "INSUFFICIENT_WORKERS"
    MEMORY_PRESSURE = "MEMORY_PRESSURE"
    GPU_TRANSFER_OVERHEAD = "GPU_TRANSFER_OVERHEAD"
    PREPROCESSING_BOTTLENECK = "PREPROCESSING_BOTTLENECK"
    BATCH_SIZE_INEFFICIENCY = "BATCH_SIZE_INEFFICIENCY"
    SAMPLER_OVERHEAD = "SAMPLER_OVERHEAD"
    COLLATE_FUNCTION_SLOW = "COLLATE_FUNCTION_SLOW"


class PreprocessingBottleneck(_Named):
    """What can hold a preprocessing function back; `stallmeter explain NAME` has the rule of each."""

    CPU_INTENSIVE = "CPU_INTENSIVE"
    MEMORY_INTENSIVE = "MEMORY_INTENSIVE"
    GPU_UNDERUTILIZED = "GPU_UNDERUTILIZED"
    I_O_BOUND = "I_O_BOUND"
    VECTORIZATION_INEFFICIENT = "VECTORIZATION_INEFFICIENT"
    CACHING_MISSED = "CACHING_MISSED"
    BATCH_SIZE_INEFFICIENT = "BATCH_SIZE_INEFFICIENT"
    ALGORITHM_INEFFICIENT = "ALGORITHM_INEFFICIENT"
