"""What the house tests know of the tree."""

import os
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SRC = ROOT / "src"


def tracked() -> list[Path]:
    """Files that git knows or would add: builds and environments are not the tree."""
    out = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True,
                         capture_output=True, text=True).stdout
    return [ROOT / name for name in out.split("\0") if name and (ROOT / name).is_file()]


def c_files(*folders: str) -> list[Path]:
    return [path for path in tracked() if path.suffix in (".c", ".h") and path.relative_to(ROOT).parts[0] in folders]


def includes(path: Path) -> list[str]:
    """What a file includes by a path of ours, in quotes or from stallmeter/."""
    return re.findall(r'^\s*#\s*include\s+["<]((?:[a-z_]+/)?[a-z_0-9]+\.(?:h|inc))[">]', path.read_text(), re.M)


def without_comments(text: str) -> str:
    """C with comments and string literals blanked, so that a word in them counts for nothing."""
    def blank(found: re.Match) -> str:
        return re.sub(r"[^\n]", " ", found.group())
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', blank, text, flags=re.S)


def reasons(name: str) -> list[list[str]]:
    """A list of exceptions: words, then the reason behind ` -- `; lines with # are remarks."""
    rows = []
    for line in (Path(__file__).parent / name).read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            words, _, reason = line.partition(" -- ")
            assert reason.strip(), f"{name}: no reason given: {line}"
            rows.append([*words.split(), reason.strip()])
    return rows


def build_folder() -> Path:
    return Path(os.environ.get("STALLMETER_BUILD", ROOT / "build" / "test"))
