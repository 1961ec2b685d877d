from contextlib import AbstractContextManager
from os import PathLike
from typing import Literal

from .report import Report

class Profile:
    directory: str | None
    @property
    def report(self) -> Report: ...

def profile(
    directory: str | PathLike[str] | None = None,
    *,
    name: str | None = None,
    level: Literal["basic", "detailed", "comprehensive", "production"] = "detailed",
    limit_bytes: int | None = None,
) -> AbstractContextManager[Profile]: ...
