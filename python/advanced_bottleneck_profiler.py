"""BottleneckProfiler and what belongs to it, under the name that its specification gives the module. All is in `stallmeter`."""

from stallmeter import BottleneckProfiler as BottleneckProfiler
from stallmeter import BottleneckProfilerConfig as BottleneckProfilerConfig
from stallmeter import BottleneckType as BottleneckType
from stallmeter import ProfilingLevel as ProfilingLevel
from stallmeter import ProfilingSession as ProfilingSession

__all__ = ["BottleneckProfiler", "BottleneckProfilerConfig", "BottleneckType", "ProfilingLevel", "ProfilingSession"]
