"""Reads the mappings of a job, in Python and as plainly as it can be written.

Beside the C reader on purpose: tests of the way into the loader check what was recorded against the layout's own words
(src/ring/ring_layout.h), not against another piece of ours that may share a mistake.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from pathlib import Path

HEADER_BYTES = 4096
SEGMENT_HEADER = 64
EVENTS, NAMES = 1, 2
BEGIN, END, MARK, PAYLOAD = range(4)
CAUSE, COUNTER, THREAD, SYNC, LOST, ARG = 1, 2, 3, 4, 5, 64
KIND_SPAN, KIND_MARK, KIND_COUNTER, KIND_TEXT, KIND_FACT = range(5)


@dataclass
class Name:
    kind: int
    role: int
    text: str
    second: str


@dataclass
class Span:
    pid: int
    tid: int
    role: int
    name: str
    second: str
    begin: int
    end: int | None = None
    args: dict[int, int] = field(default_factory=dict)
    parent: Span | None = None
    cause: bytes | None = None


@dataclass
class Mark:
    pid: int
    tid: int
    role: int
    name: str
    at: int
    args: dict[int, int] = field(default_factory=dict)
    parent: Span | None = None


class Process:
    """One mapping: its names, spans, marks, counters and facts. Times are CLOCK_MONOTONIC in nanoseconds."""

    def __init__(self, path: Path):
        self.data = path.read_bytes()
        (magic, _, _, endian, self.header_bytes, self.segment_bytes, self.shift, self.clock, self.pid) = struct.unpack_from(
            "<8sHHIIIIIi", self.data)
        assert magic == b"SMRING01" and endian == 0x01020304
        self.parent = self.text(120, 24)
        self.unique = self.text(96, 24)
        self.opened = struct.unpack_from("<QqqQqq", self.data, 144)
        (segments, self.closed, self.lost) = struct.unpack_from("<IIQ", self.data, 192)
        self.names: dict[int, Name] = {}
        self.spans: list[Span] = []
        self.marks: list[Mark] = []
        self.counters: list[tuple[str, float]] = []
        self.facts: list[dict[str, str]] = []
        self.open: dict[int, list[Span]] = {}
        self.underflows = 0
        self.rates = []
        slots = [self.header_bytes + i * self.segment_bytes for i in range(segments)]
        slots = [slot for slot in slots if self.data[slot:slot + 4] == b"SSEG"]
        self.calibrate(slots)
        slots.sort(key=lambda slot: struct.unpack_from("<Q", self.data, slot + 8))
        for slot in slots:
            self.read_names(slot)
        for slot in slots:
            self.read_events(slot)

    def text(self, at: int, length: int) -> str:
        return self.data[at:at + length].split(b"\0")[0].decode()

    def calibrate(self, slots: list[int]) -> None:
        """ns per tick: 1 for the monotonic clock, else from two instants of the header, or of segments."""
        ticks0, mono0 = self.opened[0], self.opened[1]
        instants = [self.opened[3:5]] + [struct.unpack_from("<Qq", self.data, slot + 24) for slot in slots]
        ticks1, mono1 = max(instants)
        self.base = (ticks0, mono0)
        self.rate = 1.0 if self.clock == 0 else (mono1 - mono0) / (ticks1 - ticks0) if ticks1 - ticks0 > 10**6 else tsc_rate()

    def ns(self, ticks: int) -> int:
        return self.base[1] + round((ticks - self.base[0]) * self.rate)

    # names

    def read_names(self, slot: int) -> None:
        if struct.unpack_from("<I", self.data, slot + 4)[0] != NAMES:
            return
        at, end = slot + SEGMENT_HEADER, slot + self.segment_bytes
        while at + 8 <= end:
            number, length, kind, role = struct.unpack_from("<IHBB", self.data, at)
            if number == 0:
                return
            text = self.data[at + 8:at + 8 + length].decode("utf-8", "replace")
            first, _, second = text.partition("\0")
            self.names[number] = Name(kind, role, first, second)
            if kind == KIND_FACT:
                self.facts.append(read_fact(text))
            at += 8 + (length + 7) // 8 * 8

    # words

    def read_events(self, slot: int) -> None:
        kind, = struct.unpack_from("<I", self.data, slot + 4)
        if kind != EVENTS:
            return
        tid, = struct.unpack_from("<I", self.data, slot + 16)
        ticks, = struct.unpack_from("<Q", self.data, slot + 24)
        now = ticks >> self.shift
        at, end = slot + SEGMENT_HEADER, slot + self.segment_bytes
        behind: Span | Mark | None = None
        while at + 4 <= end:
            word, = struct.unpack_from("<I", self.data, at)
            if word == 0:
                return
            if word & 1 == 0:
                now = complete(now, word >> 12, 20)
                self.edge(tid, word >> 1 & 1, word >> 2 & 1023, now)
                behind = None
                at += 4
                continue
            word, = struct.unpack_from("<Q", self.data, at)
            name, what = word >> 3 & (1 << 21) - 1, word >> 1 & 3
            at += 8
            if what == PAYLOAD:
                count = name >> 8
                words = struct.unpack_from(f"<{count}Q", self.data, at)
                at += 8 * count
                now = complete(now, word >> 24, 40)
                behind = behind if name & 255 >= ARG else None
                tid = self.payload(tid, name & 255, words, behind)
                continue
            now = complete(now, word >> 24, 40)
            behind = None
            if what == MARK:
                of = self.names[name]
                stack = self.open.get(tid, [])
                behind = Mark(self.pid, tid, of.role, of.text, self.ns(now << self.shift), {}, stack[-1] if stack else None)
                self.marks.append(behind)
            else:
                self.edge(tid, what, name, now)

    def edge(self, tid: int, what: int, name: int, now: int) -> None:
        stack = self.open.setdefault(tid, [])
        at = self.ns(now << self.shift)
        if what == BEGIN:
            of = self.names[name]
            span = Span(self.pid, tid, of.role, of.text, of.second, at, parent=stack[-1] if stack else None)
            stack.append(span)
            self.spans.append(span)
        elif stack:
            stack.pop().end = at
        else:
            self.underflows += 1

    def payload(self, tid: int, kind: int, words: tuple[int, ...], behind) -> int:
        stack = self.open.get(tid, [])
        if kind >= ARG:
            owner = behind or (stack[-1] if stack else None)
            if owner is not None:
                owner.args[kind - ARG] = words[0] - (1 << 64) if words[0] >> 63 else words[0]
        elif kind == COUNTER:
            value, = struct.unpack("<d", struct.pack("<Q", words[1]))
            self.counters.append((self.names[words[0]].text, value))
        elif kind == THREAD:
            return words[0] & 0xFFFFFFFF
        elif kind == CAUSE and stack:
            stack[-1].cause = struct.pack(f"<{len(words)}Q", *words)
        return tid

    def role(self) -> str:
        roles = [fact["role"] for fact in self.facts if fact["kind"] == "process"]
        return roles[-1] if roles else ""


def complete(now: int, low: int, bits: int) -> int:
    """The instant at or behind `now` whose low bits are these."""
    full = now & ~((1 << bits) - 1) | low
    return full if full >= now else full + (1 << bits)


def tsc_rate() -> float:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("cpu MHz"):
            return 1e3 / float(line.split(":")[1])
    return 1.0


def read_fact(text: str) -> dict[str, str]:
    kind, *lines = text.split("\n")
    return {"kind": kind, **{key: value for key, _, value in (line.partition("=") for line in lines)}}


class Job:
    """All mappings of a folder."""

    def __init__(self, folder: Path):
        self.processes = [Process(path) for path in sorted(Path(folder).glob("*.ring"))]

    def of_role(self, role: str) -> list[Process]:
        return [process for process in self.processes if process.role() == role]

    @property
    def main(self) -> Process:
        (main,) = self.of_role("main")
        return main

    @property
    def workers(self) -> list[Process]:
        return self.of_role("worker")

    def spans(self, role: int) -> list[Span]:
        return [span for process in self.processes for span in process.spans if span.role == role]

    def marks(self, role: int) -> list[Mark]:
        return [mark for process in self.processes for mark in process.marks if mark.role == role]

    def facts(self, kind: str) -> list[dict[str, str]]:
        return [fact for process in self.processes for fact in process.facts if fact["kind"] == kind]
