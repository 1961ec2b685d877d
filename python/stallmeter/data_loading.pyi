from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from os import PathLike
from typing import Any

from .acting import Acting, Optimization
from .configs import DataLoadingProfilerConfig
from .loading_grid import Configuration
from .report import Report

SCHEMA: str

@dataclass
class DataLoadingProfile:
    batch_size: int | None
    num_workers: int
    prefetch_factor: int | None = None
    pin_memory: bool = False
    persistent_workers: bool = False
    in_order: bool | None = None
    multiprocessing_context: str | None = None
    samples_per_s: float | None = None
    samples_per_s_ci: tuple[float, float] | None = None
    batches: int = 0
    rounds: int = 0
    dropped_after: int | None = None
    first_batch_s: float | None = None
    worker_memory_bytes: int | None = None
    worker_rss_bytes: int | None = None
    main_memory_bytes: int | None = None
    main_rss_bytes: int | None = None
    cpu_cores: float | None = None
    read_bytes_per_s: float | None = None
    transfer_s: float | None = None
    transfer_bytes: int | None = None
    error: str | None = None
    findings: list[dict[str, Any]] = field(default_factory=list)
    not_measured: dict[str, str] = field(default_factory=dict)
    @property
    def configuration(self) -> Configuration: ...
    @property
    def memory_bytes(self) -> int | None: ...
    def loader_arguments(self) -> dict[str, Any]: ...

@dataclass
class OptimalConfiguration:
    batch_size: int | None
    num_workers: int
    prefetch_factor: int | None
    pin_memory: bool
    persistent_workers: bool
    in_order: bool | None
    multiprocessing_context: str | None
    samples_per_s: float
    samples_per_s_ci: tuple[float, float] | None
    confidence: str
    why: str
    profile: DataLoadingProfile
    def loader_arguments(self) -> dict[str, Any]: ...

class DataLoadingProfiler:
    config: DataLoadingProfilerConfig
    profiles: list[DataLoadingProfile]
    loader: Any
    report: Report | None
    not_measured: dict[str, str]
    def __init__(self, config: DataLoadingProfilerConfig | None = None) -> None: ...
    def profile_configuration_range(
        self,
        dataset: Any,
        *,
        consumer: Callable[[Any], object] | None = None,
        prefetch_factor: int | Sequence[int] | None = None,
        pin_memory: bool | Sequence[bool] | None = None,
        persistent_workers: bool | Sequence[bool] | None = None,
        in_order: bool | Sequence[bool] | None = None,
        multiprocessing_context: Any = None,
        **loader_arguments: Any,
    ) -> list[DataLoadingProfile]: ...
    def get_optimal_configuration(self) -> OptimalConfiguration: ...
    def usable_cores(self) -> float: ...
    def workers_most(self) -> int: ...
    @property
    def findings(self) -> list[dict[str, Any]]: ...
    def get_bottlenecks(self) -> list[dict[str, Any]]: ...
    def wrap(self, loader: Any, consumer: Callable[[Any], object] | None = None) -> Acting: ...
    def profile_current_configuration(
        self, loader: Any = None, *, consumer: Callable[[Any], object] | None = None
    ) -> DataLoadingProfile: ...
    def get_optimization_suggestions(self) -> list[dict[str, Any]]: ...
    def apply_optimizations(self, suggestions: Iterable[Mapping[str, Any]] | None = None) -> list[Optimization]: ...
    @property
    def optimizations(self) -> list[Optimization]: ...
    def measure_improvement(self) -> float: ...
    def generate_optimization_report(self, path: str | PathLike[str] | None = None) -> str: ...
    def to_dict(self) -> dict[str, Any]: ...
    def save_profiling_results(self, path: str | PathLike[str]) -> str: ...
    def load_profiling_results(self, path: str | PathLike[str]) -> None: ...
    def _repr_html_(self) -> str: ...
