from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TypeVar

from ._read import TraceError as TraceError
from .bottleneck_profiler import BottleneckProfiler as BottleneckProfiler
from .configs import BottleneckProfilerConfig as BottleneckProfilerConfig
from .configs import DataLoadingProfilerConfig as DataLoadingProfilerConfig
from .configs import PreprocessingProfilerConfig as PreprocessingProfilerConfig
from .data_loading import DataLoadingProfile as DataLoadingProfile
from .data_loading import DataLoadingProfiler as DataLoadingProfiler
from .data_loading import OptimalConfiguration as OptimalConfiguration
from .kinds import BottleneckType as BottleneckType
from .kinds import DataLoadingBottleneck as DataLoadingBottleneck
from .kinds import PreprocessingBottleneck as PreprocessingBottleneck
from .kinds import ProfilingLevel as ProfilingLevel
from .preprocessing import OptimalPreprocessing as OptimalPreprocessing
from .preprocessing import PreprocessingProfile as PreprocessingProfile
from .preprocessing import PreprocessingProfiler as PreprocessingProfiler
from .profiling import profile as profile
from .profiling_session import ProfilingSession as ProfilingSession
from .report import Report as Report
from .report import load as load

_F = TypeVar("_F", bound=Callable[..., object])
_L = TypeVar("_L", bound=Iterable[object])

__version__: str
__all__: list[str]

class Span:
    def __enter__(self) -> Span: ...
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None, /
    ) -> None: ...
    def __call__(self, function: _F, /) -> _F: ...

def span(name: str, type: str | None = None) -> Span: ...
def mark(name: str, /) -> None: ...
def counter(name: str, value: float, unit: str | None = None) -> None: ...
def wrap(loader: _L, name: str | None = None) -> _L: ...
