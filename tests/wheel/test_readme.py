"""README's programs run as they stand, against the installed wheel."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)


def blocks(language):
    return [text for name, text in BLOCKS if name == language]


def test_no_block_is_of_a_language_that_nobody_runs():
    assert {name for name, _ in BLOCKS} <= {"python", "c", "sh"}
    assert blocks("python") and blocks("c") and blocks("sh")


@pytest.mark.parametrize("text", blocks("python"))
def test_python(text, tmp_path):
    done = subprocess.run([sys.executable, "-c", text], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("text", blocks("c"))
def test_c(text, tmp_path):
    import stallmeter

    package = Path(stallmeter.__file__).parent
    (tmp_path / "block.c").write_text(text)
    subprocess.run(["gcc", "-Wall", "-Werror", "block.c", f"-I{package}/include", f"-L{package}/lib", "-l:libstallmeter.so.0",
                    f"-Wl,-rpath,{package}/lib", "-o", "block"], cwd=tmp_path, check=True)
    subprocess.run([tmp_path / "block"], check=True, timeout=60)


def shell_lines():
    return [line.split("#")[0].strip() for text in blocks("sh") for line in text.splitlines()]


def test_what_make_is_asked_for_exists():
    for line in shell_lines():
        if line.startswith("make "):
            assert re.search(rf"^{line.split()[1]}:", (ROOT / "Makefile").read_text(), re.M), line


def test_the_shell_commands(tmp_path):
    """The first line installs, which the fixture of this folder has done; the others run on a job of two lines."""
    lines = [line for line in shell_lines() if not line.startswith("make ")]
    assert lines[0] == "pip install ."
    (tmp_path / "train.py").write_text("for number in range(3):\n    print(number)\n")
    scripts = Path(sys.executable).parent
    for line in lines[1:]:
        done = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True, timeout=120,
                              env={"PATH": f"{scripts}:/usr/bin:/bin"})
        assert done.returncode in (0, 3), f"{line}: {done.returncode}\n{done.stderr}"
    assert "cannot tell" in (done.stdout + done.stderr).lower(), "a job without steps is told so"
