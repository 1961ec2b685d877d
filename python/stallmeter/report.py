"""Reports in Python: the fields of `report.json`, and the forms that people read.

    report = stallmeter.load("stallmeter-train-20260101-120000")
    report.verdict.class_                       # "INPUT_BOUND"
    report.findings[0].suggestions[0].text
    report["steps"]["mean_s"]                   # the same tree, by keys

The numbers, units and reasons are those of docs/report-1.schema.json; what could not be measured is None, and
`report.not_measured` says why. Nothing is computed here: C reads, judges and words.
"""

import html as _html
import json as _json
import os as _os
from collections.abc import Mapping

from .paths import path_of as _path_of

SCHEMA = "stallmeter/report/1"


class Fields(Mapping):
    """A JSON object, read by attribute or by key; `class_` for `class`, which Python keeps for itself."""

    __slots__ = ("_fields",)

    def __init__(self, fields):
        object.__setattr__(self, "_fields", fields)

    def __getitem__(self, key):
        return _readable(self._fields[key])

    def __iter__(self):
        return iter(self._fields)

    def __len__(self):
        return len(self._fields)

    def __getattr__(self, name):
        try:
            return self[name.rstrip("_") if name == "class_" else name]
        except KeyError:
            raise AttributeError(f"no field {name!r}; there are: {', '.join(self._fields)}") from None

    def __setattr__(self, name, value):
        raise AttributeError("a report is read, not written")

    def __dir__(self):
        return [*super().__dir__(), *self._fields]

    def __repr__(self):
        return f"Fields({self._fields!r})"


def _readable(value):
    if type(value) is dict:
        return Fields(value)
    if type(value) is list:
        return [_readable(item) for item in value]
    return value


class Report(Fields):
    """What was found in one run. Shows itself in a notebook; `print` gives the verdict of the terminal."""

    __slots__ = ("_run", "path")

    def __init__(self, fields, path, run=None):
        super().__init__(fields)
        object.__setattr__(self, "_run", run)
        object.__setattr__(self, "path", path)

    def _forms(self):
        if self._run is None:
            raise ValueError(f"{self.path} holds the figures alone; other forms are made from the run itself")
        return self._run

    def to_html(self) -> str:
        """One page that needs no network and no other file."""
        return self._forms().html()

    def to_markdown(self) -> str:
        """For an issue or a pull request."""
        return self._forms().markdown()

    def to_json(self) -> str:
        """As `stallmeter report --json` writes it: the same run gives the same bytes."""
        return self._run.json() if self._run is not None else _json.dumps(self._fields, indent=2) + "\n"

    def save(self, path) -> str:
        """Writes the form that the ending names: .html, .md or .json. Returns the path."""
        path = _path_of(path)
        ending = _os.path.splitext(path)[1].lower()
        forms = {".html": self.to_html, ".md": self.to_markdown, ".json": self.to_json}
        if ending not in forms:
            raise ValueError(f"path: {path!r} ends in none of {', '.join(forms)}")
        text = forms[ending]()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return path

    def __str__(self):
        return self._run.text() if self._run is not None else self.verdict.sentence

    def __repr__(self):
        return f"<Report of {self.path}: {self.verdict.class_}>"

    def _repr_html_(self):
        if self._run is None:
            return f"<p>{_html.escape(self.verdict.sentence)}</p>"
        page = _html.escape(self.to_html(), quote=True)
        return f'<iframe srcdoc="{page}" title="stallmeter report" style="width:100%;height:720px;border:0"></iframe>'


def load(path) -> Report:
    """Reads a run directory, a .stall file, or a report.json.

    Raises FileNotFoundError for what is not there and TraceError for what is no run of ours or is damaged. Nothing in
    a file is ever executed or unpickled.
    """
    from . import _read

    name = _path_of(path)
    if name.endswith(".json"):
        return Report(_load_json(name, _read.TraceError), name)
    run = _read.open(name)
    return Report(_json.loads(run.json()), name, run)


def _load_json(name, error):
    with open(name, encoding="utf-8") as file:
        try:
            fields = _json.load(file)
        except ValueError as problem:  # also of bytes that are no UTF-8
            raise error(f"{name}: not JSON: {problem}") from None
    schema = fields.get("schema") if type(fields) is dict else None
    if schema != SCHEMA:
        raise error(f"{name}: its schema is {schema!r}, not {SCHEMA!r}")
    return fields
