from typing import Any

from .report import Fields, Report

class ProfilingSession:
    name: str
    id: str
    running: bool
    level: str
    started_at: str
    alerts: list[dict[str, Any]]
    optimizations: list[dict[str, Any]]
    @property
    def directory(self) -> str | None: ...
    @property
    def report(self) -> Report: ...
    @property
    def wall_s(self) -> float: ...
    @property
    def operations(self) -> list[Fields]: ...
    @property
    def bottlenecks(self) -> list[Fields]: ...
    @property
    def findings(self) -> list[Fields]: ...
    def summary(self) -> dict[str, Any]: ...
