"""What must not stand in the tree: traces of the machine it was made on, unkept promises, tabs and ends gone wrong."""

import re

import pytest

import tree

TEXT = [path for path in tree.tracked() if path.suffix in
        (".c", ".h", ".py", ".pyi", ".md", ".txt", ".build", ".toml", ".sh", ".ts", ".mjs", ".json", ".yml", "") and
        path.name != "LICENSE" and "dist" not in path.parts and "seeds" not in path.parts]
# Put together here, so that this file may be read by its own test.
MACHINE = re.compile("|".join(["/wo" + "rk/", "/opt/(?:whe" + "els|py" + "pi|venv3)", "far" + "m-[a-z]", r"index-url\s+htt" +
                               "ps?:", r"\bpypi\." + "org", r"/root/\." + "pyenv", r"\bissues sh" + "ow"]))
UNKEPT = re.compile(r"\b(T" + "ODO|FIX" + "ME|X" + r"XX|HA" + r"CK)\b")


@pytest.mark.parametrize("path", TEXT, ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_text_is_clean(path):
    try:
        text = path.read_text()
    except UnicodeDecodeError:
        pytest.fail("not UTF-8")
    assert not MACHINE.findall(text), "names the machine it was made on"
    assert not UNKEPT.findall(text), "a promise that belongs into an issue"
    assert "\r" not in text
    assert text == "" or text.endswith("\n"), "no newline at the end"
    assert not re.search(r"[ \t]+$", text, re.M) or path.suffix == ".md", "spaces at the end of a line"


@pytest.mark.parametrize("path", tree.c_files("src", "include", "python", "bench", "tests", "examples"),
                         ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_files_stay_small(path):
    lines = path.read_text().count("\n")
    limit = 800 if "tests" in path.parts else 500
    assert lines <= limit, f"{lines} lines: one thing each?"
