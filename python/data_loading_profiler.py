"""Data loading, under the name that scripts import: the same objects as in `stallmeter`."""

from stallmeter import DataLoadingBottleneck, DataLoadingProfiler, DataLoadingProfilerConfig
from stallmeter.data_loading import DataLoadingProfile, OptimalConfiguration

__all__ = ["DataLoadingBottleneck", "DataLoadingProfile", "DataLoadingProfiler", "DataLoadingProfilerConfig",
           "OptimalConfiguration"]
