from collections.abc import Callable, Iterable, Mapping
from os import PathLike
from typing import Any

from .configs import PreprocessingProfilerConfig as PreprocessingProfilerConfig
from .kinds import PreprocessingBottleneck as PreprocessingBottleneck
from .report import Fields

class PreprocessingProfile(Fields):
    name: str
    where: str | None
    kind: str
    calls: int
    samples: int | None
    batch_size: int
    per_sample: bool
    copied: bool
    changes_input: bool | None
    first_call_s: float
    time: Fields
    samples_per_s: Fields | None
    cpu: Fields
    io: Fields
    memory: Fields
    lines: list[Fields] | None
    library: Fields | None
    scaling: Fields | None
    caching: Fields | None
    device: Fields | None
    members: list[Fields]
    findings: list[Fields]
    passed: list[str]
    not_measured: list[Fields]
    errors: list[Fields]
    @property
    def bottlenecks(self) -> list[PreprocessingBottleneck]: ...
    def to_dict(self) -> dict[str, Any]: ...
    def _repr_html_(self) -> str: ...

class OptimalPreprocessing(Fields):
    function: str
    batch_size: int | None
    samples_per_s: float | None
    samples_per_s_ci: list[float | None] | None
    cache: bool
    cache_entries: int
    cache_bytes: float
    confidence: str
    why: list[str]
    def to_dict(self) -> dict[str, Any]: ...

class PreprocessingProfiler:
    config: PreprocessingProfilerConfig
    profiles: list[PreprocessingProfile]
    batch_profiles: list[PreprocessingProfile]
    def __init__(self, config: PreprocessingProfilerConfig | None = None) -> None: ...
    def profile_preprocessing_function(
        self, function: Callable[[Any], Any], data: Any, num_iterations: int = 10, *, per_sample: bool | None = None
    ) -> PreprocessingProfile: ...
    def profile_batch_preprocessing(
        self, function: Callable[[Any], Any], data: Any, *, per_sample: bool | None = None
    ) -> list[PreprocessingProfile]: ...
    def get_optimal_preprocessing_config(self) -> OptimalPreprocessing: ...
    @property
    def optimized_function(self) -> Callable[[Any], Any]: ...
    @property
    def batch_size(self) -> int | None: ...
    @property
    def optimizations(self) -> list[dict[str, Any]]: ...
    def profile_current_configuration(self, num_iterations: int = 10) -> PreprocessingProfile: ...
    def get_optimization_suggestions(self) -> list[dict[str, Any]]: ...
    def apply_optimizations(self, optimizations: Iterable[Mapping[str, Any]] | None = None) -> list[dict[str, Any]]: ...
    def revert_optimizations(self) -> None: ...
    def measure_improvement(self) -> float: ...
    def to_dict(self) -> dict[str, Any]: ...
    def save_profiling_results(self, path: str | PathLike[str]) -> str: ...
    def load_profiling_results(self, path: str | PathLike[str]) -> list[PreprocessingProfile]: ...
    def generate_optimization_report(self, path: str | PathLike[str] | None = None) -> str: ...
    def _repr_html_(self) -> str: ...
