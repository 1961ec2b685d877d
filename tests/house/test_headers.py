"""Each header compiles alone, the public ones as C17 and as C++ with nothing of ours around them."""

import shutil
import subprocess

import pytest

import tree

PUBLIC = [path for path in tree.c_files("include") if path.suffix == ".h"]
INNER = [path for path in tree.c_files("src") if path.suffix == ".h"]
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Werror"]


def compiles(compiler: str, options: list[str], text: str) -> str:
    if not shutil.which(compiler):
        pytest.skip(f"no compiler: {compiler}")
    done = subprocess.run([compiler, *options, *WARNINGS, "-fsyntax-only", "-"], input=text, capture_output=True, text=True)
    return done.stderr


@pytest.mark.parametrize("compiler, options", [("gcc", ["-x", "c", "-std=c17"]), ("clang", ["-x", "c", "-std=c17"]),
                                               ("g++", ["-x", "c++", "-std=c++17"]), ("clang++", ["-x", "c++", "-std=c++17"])],
                         ids=["gcc", "clang", "g++", "clang++"])
@pytest.mark.parametrize("path", PUBLIC, ids=lambda path: path.name)
def test_public_header_alone(path, compiler, options):
    name = path.relative_to(tree.ROOT / "include")
    assert not compiles(compiler, [*options, f"-I{tree.ROOT / 'include'}"], f"#include <{name}>\n#include <{name}>\n")


@pytest.mark.parametrize("path", INNER, ids=lambda path: str(path.relative_to(tree.SRC)))
def test_inner_header_alone(path):
    options = ["-x", "c", "-std=c17", "-D_GNU_SOURCE", f"-I{tree.SRC}", f"-I{tree.ROOT / 'include'}", "-Wno-pedantic",
               "-Wno-unused"]
    assert not compiles("gcc", options, f'#include "{path.relative_to(tree.SRC)}"\n')
