"""What CONTRIBUTING promises a newcomer: one command, and the new file compiles in its place."""

import subprocess
import sys

import pytest

import tree

sys.path.insert(0, str(tree.ROOT / "tools"))
import new


@pytest.mark.parametrize("kind", new.KINDS)
def test_a_new_one_compiles_and_is_listed(kind, tmp_path):
    folder, prefix = new.KINDS[kind]
    (tmp_path / folder).mkdir(parents=True)
    listing = tmp_path / folder / "meson.build"
    listing.write_text((tree.ROOT / folder / "meson.build").read_text())
    path = new.begin(kind, "something_new", tmp_path)
    assert path.name == f"{prefix}something_new.c"
    assert listing.read_text().count("'something_new'") == 1
    done = subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Wextra", "-Werror", "-Wno-unused-parameter",
                           "-Wno-missing-field-initializers", "-fsyntax-only", f"-I{tree.SRC}",
                           f"-I{tree.ROOT}/include", path],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_name_is_taken_once(tmp_path):
    for kind, (folder, prefix) in new.KINDS.items():
        taken = next((tree.ROOT / folder).glob(f"{prefix}*.c"), None)
        if taken is not None:
            with pytest.raises(SystemExit):
                new.begin(kind, taken.stem.removeprefix(prefix))
