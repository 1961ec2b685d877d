"""What a DataLoadingProfiler found, in a file and back: .json, or .pt with the same JSON as one tensor (results.py).

Nothing in a file is ever executed or unpickled.
"""

import json
import os

ENDINGS = (".json", ".pt")


def _ending(path):
    ending = os.path.splitext(path)[1].lower()
    if ending not in ENDINGS:
        raise ValueError(f"path: {path!r} ends in none of {', '.join(ENDINGS)}")
    return ending


def save(found, path):
    path = os.fsdecode(path)
    ending = _ending(path)
    data = (json.dumps(found, indent=2) + "\n").encode()
    if ending == ".pt":
        from .results import save_tensor

        save_tensor(path, data)
    else:
        with open(path, "wb") as file:
            file.write(data)
    return path


def load(path, schema):
    from ._read import TraceError

    path = os.fsdecode(path)
    if _ending(path) == ".pt":
        from .results import load_tensor

        data = load_tensor(path, TraceError)
    else:
        with open(path, "rb") as file:
            data = file.read()
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise TraceError(f"{path}: not JSON: {problem}") from None
    named = found.get("schema") if isinstance(found, dict) else None
    if named != schema:
        raise TraceError(f"{path}: its schema is {named!r}, not {schema!r}")
    return found
