from collections.abc import Sequence, Set
from contextlib import AbstractContextManager
from os import PathLike
from typing import Any, Literal

from .report import Report

class Profile:
    directory: str | None
    @property
    def report(self) -> Report: ...
    def alerts(self) -> list[dict[str, Any]]: ...

def profile(
    directory: str | PathLike[str] | None = None,
    *,
    name: str | None = None,
    level: Literal["basic", "detailed", "comprehensive", "production"] = "detailed",
    limit_bytes: int | None = None,
    interval: float | None = None,
    memory_threshold: float | None = None,
    gpu_threshold: float | None = None,
    without: Sequence[Literal["memory", "gpu", "cpu", "io"]] | Set[Literal["memory", "gpu", "cpu", "io"]] = (),
) -> AbstractContextManager[Profile]: ...
