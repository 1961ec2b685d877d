"""What stallmeter's PreprocessingProfiler is imported as: the same objects as in `stallmeter`."""

from stallmeter import (
    OptimalPreprocessing,
    PreprocessingBottleneck,
    PreprocessingProfile,
    PreprocessingProfiler,
    PreprocessingProfilerConfig,
    ProfilingLevel,
)

__all__ = ["OptimalPreprocessing", "PreprocessingBottleneck", "PreprocessingProfile", "PreprocessingProfiler",
           "PreprocessingProfilerConfig", "ProfilingLevel"]
