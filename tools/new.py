#!/usr/bin/env python3
"""Begins a new probe, detector, exporter or command: `tools/new.py detector small_batches`.

Writes its first file from tools/templates/ (of a command also what its manual page has beyond --help) and puts its word at
the end of the list in the folder's meson.build, from which the build takes both the source and the table. Nothing else has
to be touched.
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# kind -> (folder, prefix of its files)
KINDS = {"probe": ("src/probe", "probe_"), "detector": ("src/detect", "detect_"), "exporter": ("src/export", "export_"),
         "command": ("src/cli", "cmd_")}


def add_word(listing: Path, kind: str, name: str) -> None:
    """The list is called after the kind: `probes = ['cpu', ...]`."""
    text = listing.read_text()
    found = re.search(rf"^{kind}s = \[([^\]]*?)(,?\s*)\]", text, re.M)
    if found is None:
        raise SystemExit(f"new: {listing} has no list called {kind}s")
    at = found.end(1)
    separator = ", " if found.group(1).strip() else ""
    listing.write_text(f"{text[:at]}{separator}'{name}'{text[at:]}")


def begin(kind: str, name: str, root: Path = ROOT) -> Path:
    folder, prefix = KINDS[kind]
    path = root / folder / f"{prefix}{name}.c"
    if path.exists():
        raise SystemExit(f"new: {path} is there already")
    add_word(root / folder / "meson.build", kind, name)
    for template in sorted((ROOT / "tools" / "templates").glob(f"{kind}.*.in")):
        text = template.read_text().replace("@name@", name).replace("@NAME@", name.upper())
        path.with_suffix(Path(template.stem).suffix).write_text(text)
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kind", choices=KINDS)
    parser.add_argument("name")
    arguments = parser.parse_args()
    if not re.fullmatch(r"[a-z][a-z0-9_]*", arguments.name):
        parser.error("a name is snake case")
    print(f"wrote {begin(arguments.kind, arguments.name).relative_to(ROOT)}; CONTRIBUTING.md says what comes next")


if __name__ == "__main__":
    main()
