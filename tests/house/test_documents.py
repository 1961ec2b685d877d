"""Documents speak of files that exist, and ARCHITECTURE's life of one span follows the layers."""

import re

import pytest

import tree

DOCUMENTS = [path for path in tree.tracked() if path.suffix == ".md" and "node_modules" not in path.parts]
FOLDERS = "src|include|python|web|tests|tools|bench|examples|packaging|docs"
# The layers in the order in which a span meets them.
JOURNEY = ["record", "ring", "collect", "trace", "model", "analyze", "predict", "detect", "report"]


def life_of_a_span():
    text = (tree.ROOT / "ARCHITECTURE.md").read_text()
    section = text.split("## The life of one span", 1)[1].split("\n## ", 1)[0]
    return re.findall(r"^(\d+)\. (.*?)(?=^\d+\. |\Z)", section, re.M | re.S)


def test_the_life_of_a_span_is_told_in_steps():
    numbers = [int(number) for number, _ in life_of_a_span()]
    assert numbers == list(range(1, len(numbers) + 1)) and len(numbers) >= 12


@pytest.mark.parametrize("number, text", life_of_a_span(), ids=lambda value: value if value.isdigit() else "")
def test_every_step_names_files(number, text):
    assert re.findall(rf"`((?:{FOLDERS})/[\w./]+)`", text), "no file is named"


def test_the_life_of_a_span_follows_the_layers():
    layers = re.findall(r"`src/(\w+)/", " ".join(text for _, text in life_of_a_span()))
    first_met = [layer for layer in dict.fromkeys(layers) if layer in JOURNEY]
    assert first_met == JOURNEY


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_files_that_are_named_exist(path):
    known = {str(file.relative_to(tree.ROOT)) for file in tree.tracked()}
    folders = {str(parent) for name in known for parent in tree.Path(name).parents}
    for name in re.findall(rf"`((?:{FOLDERS})/[\w./-]*\w)/?`", path.read_text()):
        assert name in known or name in folders, f"{name} does not exist"


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(tree.ROOT)))
def test_links_lead_somewhere(path):
    for target in re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", path.read_text()):
        assert target.startswith(("http://", "https://")) or (path.parent / target).exists(), f"{target} does not exist"
