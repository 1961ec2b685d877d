"""Sessions in a file: `.json`, `.pt`, or the trace itself, `.stall`.

The JSON holds the summaries and the report of each run. A `.pt` holds the same JSON as one tensor of bytes, in the form in
which `torch.save` writes it, so that it travels where only tensors do and `torch.load(path, weights_only=True)` reads it:
`json.loads(bytes(torch.load(path)))`. It is written and read here without torch, and nothing in it is ever unpickled: a `.pt`
is a zip, and its member `data/0` is the bytes.
"""

import json
import os
import shutil
import struct
import zipfile

from . import profiling_session
from .paths import path_of
from .report import SCHEMA as REPORT
from .report import Report, load

SCHEMA = "stallmeter/profile/1"
ENDINGS = (".stall", ".json", ".pt")
ARCHIVE = "profile"  # the folder in the zip
BYTES_MOST = 1 << 30


def ending_of(path):
    path = path_of(path)
    ending = os.path.splitext(path)[1].lower()
    if ending not in ENDINGS:
        raise ValueError(f"path: {path!r} ends in none of {', '.join(ENDINGS)}")
    return ending


def document(sessions):
    """Each report once, however many sessions share it."""
    reports, rows = [], []
    for session in sessions:
        summary = session.summary()
        try:
            fields = session.report._fields
        except (OSError, RuntimeError, ValueError):
            fields = None
        if fields is not None and fields not in reports:
            reports.append(fields)
        rows.append({**summary, "report": reports.index(fields) if fields is not None else None})
    return {"schema": SCHEMA, "sessions": rows, "reports": reports}


def save(path, sessions):
    path, ending = path_of(path), ending_of(path)
    if ending == ".stall":
        return save_trace(path, sessions[-1])
    text = json.dumps(document(sessions), indent=2) + "\n"
    if ending == ".json":
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    else:
        save_tensor(path, text.encode())
    return path


def save_trace(path, session):
    """The whole run of the newest session, operations and loaders; values and alerts of this process are not in it."""
    if session.recording is None or session.directory is None:
        raise ValueError(f"path: session {session.name!r} has no trace, it comes from a file; .json and .pt hold its figures")
    if not session.recording.over:
        raise RuntimeError("the trace is whole when the last session of its run is stopped")
    files = sorted(name for name in os.listdir(session.directory) if name.endswith(".stall"))
    if len(files) != 1:
        raise ValueError(f"path: the run has {len(files)} traces, one for each rank; copy {session.directory}")
    shutil.copyfile(os.path.join(session.directory, files[0]), path)
    return path


# ------------------------------------------------------------------------------------------------------ a tensor

def text(string):
    return b"X" + struct.pack("<I", len(string)) + string.encode()


def number(value):
    return b"J" + struct.pack("<i", value)


def tensor_pickle(count):
    """What `torch.save` pickles of torch.tensor([...], dtype=torch.uint8): the storage by its key, offset, sizes, strides."""
    storage = b"(" + text("storage") + b"ctorch\nByteStorage\n" + text("0") + text("cpu") + number(count) + b"tQ"
    shape = number(0) + number(count) + b"\x85" + number(1) + b"\x85" + b"\x89" + b"ccollections\nOrderedDict\n)R"
    return b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n(" + storage + shape + b"tR."


def save_tensor(path, data):
    if len(data) > BYTES_MOST:
        raise ValueError("path: more than 1 GiB of figures do not go into a .pt; use .json")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        members = (("data.pkl", tensor_pickle(len(data))), ("byteorder", b"little"), ("data/0", data), ("version", b"3\n"))
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(f"{ARCHIVE}/{name}"), content)


def load_tensor(path, error):
    """The bytes of the one tensor. A file of somebody else's may hold any pickle, so that member is not looked at."""
    name = os.fsdecode(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = [info for info in archive.infolist() if info.filename.endswith("/data/0")]
            if len(members) != 1 or members[0].compress_type != zipfile.ZIP_STORED or members[0].file_size > BYTES_MOST:
                raise error(f"{name}: no profile of stallmeter's: it does not hold one plain tensor")
            return archive.read(members[0])
    except (zipfile.BadZipFile, EOFError, NotImplementedError, struct.error) as problem:
        raise error(f"{name}: damaged, or no .pt of stallmeter's: {problem}") from None


# ------------------------------------------------------------------------------------------------------- reading

def at_least_one(sessions, path):
    from ._read import TraceError

    if not sessions:
        raise TraceError(f"{path}: no session of a BottleneckProfiler is in it; stallmeter.load() reads it")
    return sessions


def load_sessions(path, threshold):
    """The sessions in a file, as ProfilingSession objects; figures alone, where it is no trace."""
    from ._read import TraceError

    path, ending = path_of(path), ending_of(path)
    if ending == ".stall":
        return at_least_one(sessions_of(load(path), threshold), path)
    if ending == ".json":
        with open(path, "rb") as file:
            data = file.read()
    else:
        data = load_tensor(path, TraceError)
    try:
        fields = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise TraceError(f"{path}: not JSON: {problem}") from None
    if type(fields) is dict and fields.get("schema") == REPORT:
        return at_least_one(sessions_of(Report(fields, path), threshold), path)
    if type(fields) is not dict or fields.get("schema") != SCHEMA:
        raise TraceError(f"{path}: its schema is {fields.get('schema') if type(fields) is dict else None!r}, not {SCHEMA!r}")
    try:
        return [one(row, fields["reports"], path) for row in fields["sessions"]]
    except (KeyError, TypeError, IndexError, AttributeError) as problem:
        raise TraceError(f"{path}: damaged: {type(problem).__name__}: {problem}") from None


def one(row, reports, name):
    summary = {key: row[key] for key in profiling_session.none_yet("")}
    if not isinstance(summary["name"], str) or not isinstance(summary["session"], str):
        raise TypeError("a session has no name")
    index = row["report"]
    return profiling_session.loaded(summary, Report(reports[index], name) if index is not None else None)


def sessions_of(report, threshold):
    """Those of a run, by its trace alone: no alerts and values of the process that recorded it."""
    found = []
    for entry in report._fields.get("sessions", []):
        blank = {**profiling_session.none_yet(report._fields["run"]["level"]), "session": entry["id"], "name": entry["name"],
                 "alerts": report._fields.get("alerts", [])}
        session = profiling_session.loaded(blank, report)
        session.threshold, session._final = threshold, None
        session._final = profiling_session.summarize(session, report._fields)
        found.append(session)
    return found
