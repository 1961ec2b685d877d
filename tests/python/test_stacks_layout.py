"""The offsets compiled into the collector are those of the interpreters' own headers, for every version whose headers are here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT, other_interpreters

pytestmark = [pytest.mark.any_torch, pytest.mark.profilers]

# name in stacks_layout.c: (3.10, 3.11 and 3.12, 3.13); None where a version has no such field
FRAME = "_PyInterpreterFrame"
OFFSETS = {
    "runtime_interpreters": ["_PyRuntimeState, interpreters.head"] * 3,
    "interpreter_next": ["PyInterpreterState, next"] * 3,
    "interpreter_threads": ["PyInterpreterState, tstate_head", "PyInterpreterState, threads.head", "PyInterpreterState, threads.head"],
    "gil_holder": ["struct _gil_runtime_state, last_holder"] * 3,
    "gil_locked": ["struct _gil_runtime_state, locked"] * 3,
    "thread_next": ["PyThreadState, next"] * 3,
    "thread_interpreter": ["PyThreadState, interp"] * 3,
    "thread_pthread": ["PyThreadState, thread_id"] * 3,
    "thread_native_id": [None, "PyThreadState, native_thread_id", "PyThreadState, native_thread_id"],
    "thread_frame": ["PyThreadState, frame", "PyThreadState, cframe", "PyThreadState, current_frame"],
    "cframe_current": [None, "_PyCFrame, current_frame", None],
    "thread_chunk": [None, "PyThreadState, datastack_chunk", "PyThreadState, datastack_chunk"],
    "thread_top": [None, "PyThreadState, datastack_top", "PyThreadState, datastack_top"],
    "frame_previous": ["PyFrameObject, f_back", f"{FRAME}, previous", f"{FRAME}, previous"],
    "frame_code": ["PyFrameObject, f_code", f"{FRAME}, f_code", f"{FRAME}, f_executable"],
    "frame_owner": [None, f"{FRAME}, owner", f"{FRAME}, owner"],
    "frame_instruction": ["PyFrameObject, f_lasti", f"{FRAME}, prev_instr", f"{FRAME}, instr_ptr"],
    "code_file": ["PyCodeObject, co_filename"] * 3,
    "code_name": ["PyCodeObject, co_name", "PyCodeObject, co_qualname", "PyCodeObject, co_qualname"],
    "code_first_line": ["PyCodeObject, co_firstlineno"] * 3,
    "code_lines": ["PyCodeObject, co_linetable"] * 3,
    "code_instructions": ["PyCodeObject, co_code", "PyCodeObject, co_code_adaptive", "PyCodeObject, co_code_adaptive"],
    "bytes_length": ["PyVarObject, ob_size"] * 3,
    "bytes_begin": ["PyBytesObject, ob_sval"] * 3,
    "text_length": ["PyASCIIObject, length"] * 3,
    "text_state": ["PyASCIIObject, state"] * 3,
    "type_name": ["PyTypeObject, tp_name"] * 3,
}


def rows() -> dict[int, dict[str, int]]:
    text = (ROOT / "src" / "collect" / "stacks_layout.c").read_text()
    found = {}
    for body in re.findall(r"\{(\.minor = .*?)\}", text, re.S):
        row = dict(re.findall(r"\.(\w+) = (\w+)", body))
        found[int(row["minor"])] = {name: 0xFFFF if value == "NONE" else int(value) for name, value in row.items()}
    return found


def about(python: str) -> tuple[int, str]:
    code = "import sys, sysconfig; print(sys.version_info.minor, sysconfig.get_path('include'))"
    minor, include = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout.split()
    return int(minor), include


@pytest.mark.skipif(not shutil.which("cc"), reason="no C compiler")
@pytest.mark.parametrize("python", [sys.executable, *other_interpreters()])
def test_the_table_is_what_the_headers_say(python, tmp_path):
    minor, include = about(python)
    if minor not in rows():
        pytest.skip(f"no row for 3.{minor}")
    which = {10: 0, 11: 1, 12: 1, 13: 2}[minor]
    names = {name: kinds[which] for name, kinds in OFFSETS.items() if kinds[which]}
    if minor >= 12:
        names["interpreter_gil"] = "PyInterpreterState, ceval.gil"
    else:
        names["runtime_gil"] = "_PyRuntimeState, ceval.gil"
    prints = "".join(f'printf("{name} %zu\\n", offsetof({what}));' for name, what in names.items())
    source = tmp_path / "offsets.c"
    source.write_text("#define Py_BUILD_CORE 1\n#include <Python.h>\n#undef _PyGC_FINALIZED\n#include <internal/pycore_interp.h>\n"
                      "#include <internal/pycore_runtime.h>\n#if PY_VERSION_HEX >= 0x030B0000\n#include <internal/pycore_frame.h>\n"
                      "#else\n#include <frameobject.h>\n#endif\n#include <stddef.h>\n#include <stdio.h>\n"
                      f'int main(void) {{ {prints} printf("text_ascii_bytes %zu\\ntext_compact_bytes %zu\\n", '
                      "sizeof(PyASCIIObject), sizeof(PyCompactUnicodeObject)); return 0; }\n")
    done = subprocess.run(["cc", "-w", f"-I{include}", f"-I{include}/internal", source, "-o", tmp_path / "offsets"],
                          capture_output=True, text=True)
    if done.returncode and "No such file" in done.stderr:
        pytest.skip("the headers of this Python are not installed")
    assert done.returncode == 0, done.stderr[-2000:]
    printed = subprocess.run([tmp_path / "offsets"], check=True, capture_output=True, text=True).stdout
    told = {name: int(value) for name, value in (line.split() for line in printed.splitlines())}
    row = rows()[minor]
    assert told == {name: row[name] for name in told}
    absent = {name for name, kinds in OFFSETS.items() if not kinds[which]}
    assert all(row[name] == 0xFFFF for name in absent)
