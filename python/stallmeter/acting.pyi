from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypedDict

class Optimization(TypedDict):
    change: dict[str, Any]
    before: dict[str, Any]
    why: str
    state: str
    reason: str
    speedup: list[float] | None
    disclosed: list[str]

class Comparison:
    before: Sequence[float]
    after: Sequence[float]
    speedup: tuple[float, float, float] | None
    reason: str | None
    def reaches(self, least: float) -> bool: ...

class Acting:
    loader: Any
    optimizations: list[Optimization]
    before_epoch: Callable[[Acting], object] | None
    @property
    def settings(self) -> dict[str, Any]: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...
    def __getattr__(self, name: str, /) -> Any: ...
    def change(self, change: Mapping[str, object], why: str = "", seconds: float | None = None) -> Optimization: ...
    def restore(self, settings: Mapping[str, object]) -> None: ...

def wrap(loader: Any, consumer: Callable[[Any], object] | None = None, seconds: float = 10.0) -> Acting: ...
def why_not(loader: Any) -> str | None: ...
def safe(change: Mapping[str, object]) -> tuple[dict[str, Any], dict[str, str]]: ...
def compare(
    before: Any,
    after: Any,
    *,
    consumer: Callable[[Any], object] | None = None,
    seconds: float = 10.0,
    seed: int = ...,
) -> Comparison: ...
