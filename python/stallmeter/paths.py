"""Paths as users give them."""

import os


def path_of(path):
    """As a str; bytes and os.PathLike are taken too. TypeError naming the argument for anything else."""
    if not isinstance(path, (str, bytes, os.PathLike)):
        raise TypeError(f"path: {path!r} is no path")
    return os.fsdecode(path)
