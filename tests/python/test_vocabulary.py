"""The numbers of the trace are written in three places; here they are compared."""

import re

from conftest import ROOT, inject_folder

HEADER = (ROOT / "src/base/vocabulary.h").read_text()


def numbers(text, pattern):
    return {name: int(value) for name, value in re.findall(pattern, text)}



def python_numbers():
    text = (inject_folder() / "_stallmeter/vocabulary.py").read_text()
    return {name: int(value) for name, value in re.findall(r"(?m)^(\w+) = (\d+)$", text)}


def test_roles_are_those_of_the_header():
    roles = numbers(HEADER, r"SM_ROLE_(\w+) = (\d+)")
    roles.pop("LIMIT")
    ours = {name: value for name, value in python_numbers().items() if not name.startswith(("KEY_", "DEVICE_"))}
    assert ours == roles


def test_keys_are_those_of_the_header():
    keys = numbers(HEADER, r"SM_KEY_(\w+) = (\d+)")
    keys.pop("LIMIT")
    ours = {name[4:]: value for name, value in python_numbers().items() if name.startswith("KEY_")}
    assert ours == keys


def test_device_states_are_those_of_the_header():
    states = numbers(HEADER, r"SM_DEVICE_(\w+) = (\d+)")
    ours = {name[7:]: value for name, value in python_numbers().items() if name.startswith("DEVICE_")}
    assert ours == states


def test_keys_in_the_extension_are_those_of_the_header():
    keys = numbers(HEADER, r"SM_KEY_(\w+) = (\d+)")
    for name, value in numbers((ROOT / "python/ext/py_state.h").read_text(), r"SM_PY_KEY_(\w+) = (\d+)").items():
        assert keys[name] == value


def test_roles_in_the_extension_are_those_of_the_header():
    roles = numbers(HEADER, r"SM_ROLE_(\w+) = (\d+)")
    for name, value in numbers((ROOT / "python/ext/py_state.h").read_text(), r"SM_PY_ROLE_(\w+) = (\d+)").items():
        assert roles[name] == value
