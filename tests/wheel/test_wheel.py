"""The wheel as its users meet it: fresh environments of every Python here, the program, and a C compiler."""

import os
import re
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
VERSIONS = ["3.10", "3.11", "3.12", "3.13"]


def interpreters():
    """One interpreter of each version that a machine may have: the system's, or pyenv's."""
    found = {}
    for version in VERSIONS:
        candidates = [shutil.which(f"python{version}", path="/usr/bin:/usr/local/bin")]
        candidates += sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
        found[version] = next((str(path) for path in candidates if path), None)
    return found


INTERPRETERS = interpreters()


def wheel():
    wheels = sorted((ROOT / "build" / "wheel").glob("stallmeter-*.whl"))
    assert len(wheels) == 1, f"tests/run.py builds one wheel; here are {wheels}"
    return wheels[0]


@pytest.fixture(scope="session", params=VERSIONS)
def environment(request, tmp_path_factory):
    """A fresh virtual environment with nothing but the wheel."""
    interpreter = INTERPRETERS[request.param]
    if interpreter is None:
        pytest.skip(f"this machine has no Python {request.param}")
    folder = tmp_path_factory.mktemp(f"python{request.param}")
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV"))}
    subprocess.run([interpreter, "-m", "venv", folder], check=True, env=clean)
    subprocess.run([folder / "bin/python", "-m", "pip", "install", "-qq", "--no-deps", "--no-index", wheel()], check=True,
                   env=clean)
    return folder


def run(environment, *words, **options):
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "STALLMETER"))}
    clean["PATH"] = f"{environment}/bin:/usr/bin:/bin"
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, env=clean, timeout=120, **options)


def test_it_imports_and_needs_nothing_but_the_standard_library(environment, tmp_path):
    code = "import stallmeter, sys; print(stallmeter.__version__, 'torch' in sys.modules, 'numpy' in sys.modules)"
    done = run(environment, environment / "bin/python", "-c", code, cwd=tmp_path)
    assert (done.returncode, done.stdout.split()) == (0, ["0.1.0", "False", "False"]), done.stderr


def test_a_span_of_three_million_is_recorded_or_costs_nothing(environment, tmp_path):
    """The extension works under this interpreter, for long: reference counts that were wrong would show."""
    code = ("import stallmeter\n"
            "for _ in range(1000000):\n    with stallmeter.span('x'):\n        pass\nprint('fine')")
    done = run(environment, environment / "bin/python", "-c", code, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr


def test_the_program_says_its_version(environment, tmp_path):
    done = run(environment, "stallmeter", "--version", cwd=tmp_path)
    assert done.returncode == 0 and "0.1.0" in done.stdout, done.stderr


def test_the_module_is_the_program(environment, tmp_path):
    done = run(environment, environment / "bin/python", "-m", "stallmeter", "--version", cwd=tmp_path)
    assert done.returncode == 0 and "0.1.0" in done.stdout, done.stderr


def test_the_manual_is_where_man_looks(environment, tmp_path):
    """man takes the pages from ../share/man of every folder in PATH."""
    pages = environment / "share/man/man1"
    names = {page.name for page in pages.iterdir()}
    assert {"stallmeter.1", "stallmeter-run.1"} <= names
    if shutil.which("man"):
        done = run(environment, "man", "-w", "stallmeter-run", cwd=tmp_path)
        assert (done.returncode, done.stdout.strip()) == (0, str(pages / "stallmeter-run.1")), done.stderr


def test_a_command_is_recorded(environment, tmp_path):
    job = [environment / "bin/python", "-c", "raise SystemExit(3)"]
    done = run(environment, "stallmeter", "run", "-o", tmp_path / "run", "--", *job)
    assert done.returncode == 3, done.stderr
    assert (tmp_path / "run" / "rank0.stall").exists()


def test_a_part_of_a_program_is_profiled_and_read(environment, tmp_path):
    code = ("import stallmeter\nwith stallmeter.profile('run') as run:\n    with stallmeter.span('mine'):\n        pass\n"
            "print(run.report.operations[0].name, run.report.verdict.class_, len(run.report.to_html()) > 1000)")
    done = run(environment, environment / "bin/python", "-c", code, cwd=tmp_path)
    assert (done.returncode, done.stdout.split()) == (0, ["mine", "CANNOT_TELL", "True"]), done.stderr


def test_a_c_program_is_built_through_pkg_config(environment, tmp_path):
    package = next(environment.glob("lib/python*/site-packages/stallmeter"))
    assert (package / "include/stallmeter/stallmeter.h").exists()
    variables = {**os.environ, "PKG_CONFIG_PATH": str(package / "lib/pkgconfig")}
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "stallmeter"], check=True, capture_output=True, text=True,
                           env=variables).stdout.split()
    program = tmp_path / "c_record"
    subprocess.run(["gcc", "-std=c17", "-D_GNU_SOURCE", "-Wall", "-Werror", ROOT / "examples/c_record.c", *flags,
                    f"-Wl,-rpath,{package / 'lib'}", "-pthread", "-o", program], check=True)
    alone = run(environment, program, cwd=tmp_path)
    assert alone.returncode == 0 and "not recorded" in alone.stdout
    recorded = run(environment, "stallmeter", "run", "-o", tmp_path / "run", "--", program)
    assert recorded.returncode == 0 and ", 0 events lost" in recorded.stdout, recorded.stderr


def test_the_wheel_holds_what_it_should():
    names = zipfile.ZipFile(wheel()).namelist()
    assert any(name.endswith(".data/scripts/stallmeter") for name in names)
    assert [name for name in names if name.endswith("/_record.abi3.so")]
    assert [name for name in names if name == "stallmeter/_read.abi3.so"]
    assert "stallmeter/inject/sitecustomize.py" in names
    for shared in ("man/man1/stallmeter.1", "stallmeter/report-1.schema.json"):
        assert any(name.endswith(f".data/data/share/{shared}") for name in names), shared
    assert not [name for name in names if ".mesonpy.libs" in name], "libraries in a place where no linker looks"
    assert not [name for name in names if name.startswith(("tests/", "bench/"))]


@pytest.mark.parametrize("suffix", ["/_record.abi3.so", "/lib/libstallmeter.so.0"])
def test_what_enters_a_process_needs_only_libc(tmp_path, suffix):
    with zipfile.ZipFile(wheel()) as archive:
        name = next(name for name in archive.namelist() if suffix in name)
        path = archive.extract(name, tmp_path)
    dynamic = subprocess.run(["readelf", "-d", path], check=True, capture_output=True, text=True).stdout
    needed = {line.split("[")[1].rstrip("]") for line in dynamic.splitlines() if "(NEEDED)" in line}
    assert needed <= {"libc.so.6", "libm.so.6", "ld-linux-x86-64.so.2", "ld-linux-aarch64.so.1"}, needed


def test_the_program_brings_its_terminal_along(tmp_path):
    """A wheel comes to machines that have no ncurses, so it is inside, and so is its notice."""
    with zipfile.ZipFile(wheel()) as archive:
        names = archive.namelist()
        path = archive.extract(next(name for name in names if name.endswith(".data/scripts/stallmeter")), tmp_path)
    dynamic = subprocess.run(["readelf", "-d", path], check=True, capture_output=True, text=True).stdout
    assert not re.search(r"NEEDED.*(?:ncurses|tinfo)", dynamic)
    assert b"/usr/share/terminfo" in Path(path).read_bytes(), "no live view in it"
    assert any(name.endswith("share/stallmeter/ncurses-notice.txt") for name in names)


def test_the_c_library_exports_what_its_headers_declare(tmp_path):
    with zipfile.ZipFile(wheel()) as archive:
        path = archive.extract(next(name for name in archive.namelist() if name.endswith("/lib/libstallmeter.so.0")), tmp_path)
    said = subprocess.run(["nm", "-D", "--defined-only", path], check=True, capture_output=True, text=True).stdout
    exported = {line.split()[-1] for line in said.splitlines()}
    text = "".join(header.read_text() for header in (ROOT / "include/stallmeter").glob("*.h"))
    assert exported, "nothing is exported"
    assert not {name for name in exported if name not in text}


def test_newest_build_tools_build_it_too(tmp_path):
    """Debian's meson-python made the wheel above; this is what `pip install .` does for everybody else."""
    done = subprocess.run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, ROOT], capture_output=True,
                          text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    assert sysconfig.get_platform().replace("-", "_") in next(tmp_path.glob("*.whl")).name
