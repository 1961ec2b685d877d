"""Each verb has its manual page, with every option of --help in it, and roff has nothing against any of them."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

import tree

CLI = tree.build_folder() / "src" / "cli"
PAGES = sorted(CLI.glob("*.1"))
PARTS = sorted((tree.SRC / "cli").glob("*.man"))

needs_groff = pytest.mark.skipif(shutil.which("groff") is None, reason="no groff here to render manual pages")


def help_of(*verb: str) -> str:
    return subprocess.run([CLI / "stallmeter", *verb, "--help"], check=True, capture_output=True, text=True).stdout


def options_of(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text))


def verbs() -> list[str]:
    section = help_of().split("\nverbs:\n")[1].split("\n\n")[0]
    return re.findall(r"^  (\w+) ", section, re.M)


def render(page: Path) -> tuple[str, str]:
    """The page in plain letters, on lines so long that no word is cut, and what roff had to say."""
    done = subprocess.run(["groff", "-man", "-Tascii", "-ww", "-rLL=200n", "-P-cbou", page], check=True, capture_output=True,
                          text=True)
    return done.stdout, done.stderr


def section_of(text: str, name: str) -> str:
    found = re.search(rf"^{name}\n(.*?)(?=^[A-Z]|\Z)", text, re.M | re.S)
    assert found, f"no section {name}"
    return found.group(1)


def test_every_verb_has_a_page():
    assert {page.name for page in PAGES} == {"stallmeter.1", *(f"stallmeter-{verb}.1" for verb in verbs())}


@needs_groff
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_roff_has_no_complaint(page):
    text, complaints = render(page)
    assert complaints == ""
    assert "\\" not in text, "an escape came through"


@needs_groff
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_the_options_of_help(page):
    verb = page.stem.removeprefix("stallmeter").removeprefix("-")
    known = options_of(help_of(*[verb] if verb else []).split("\noptions:\n")[1].split("\n\n")[0])
    assert options_of(section_of(render(page)[0], "OPTIONS")) == known
    assert "--help" in known


@needs_groff
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_a_page_has_its_sections(page):
    text, _ = render(page)
    assert re.search(rf"{page.stem} - \w", section_of(text, "NAME"))
    for name in ("SYNOPSIS", "DESCRIPTION", "EXIT STATUS", "SEE ALSO"):
        assert section_of(text, name).strip()


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.stem)
def test_what_is_written_by_hand_is_no_second_list_of_options(part):
    """They come from the command table; a verb that is mentioned exists."""
    text = part.read_text()
    assert not options_of(text.replace("\\-", "-")), "options belong into the table"
    assert set(re.findall(r"stallmeter\\-(\w+)", text)) <= set(verbs())
