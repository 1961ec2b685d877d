#!/usr/bin/env python3
"""Turns the built page into C: `embed.py PAGE INC` writes one array element per piece of text or slot.

A slot is `<!--slot NAME-->` and becomes PAGE_NAME; text is cut into literals that any C17 compiler takes.
"""

import re
import sys
from pathlib import Path

SLOT = re.compile(r"<!--slot ([A-Z]+)-->")
LITERAL_BYTES = 1000  # escaped at most fourfold, below the 4095 that the standard promises


def literal(data: bytes) -> str:
    """A C string; `?` is escaped so that no trigraph can arise, three octal digits so that none runs on."""
    plain = {ord("\n"): "\\n", ord("\t"): "\\t", ord('"'): '\\"', ord("\\"): "\\\\", ord("?"): "\\?"}
    return '"' + "".join(plain.get(byte) or (chr(byte) if 32 <= byte < 127 else f"\\{byte:03o}") for byte in data) + '"'


def lines(page: str):
    for number, part in enumerate(SLOT.split(page)):
        if number % 2:
            yield f'{{PAGE_{part}, ""}},'
            continue
        data = part.encode()
        for at in range(0, len(data), LITERAL_BYTES):
            yield f"{{PAGE_TEXT, {literal(data[at:at + LITERAL_BYTES])}}},"


def main() -> None:
    source, target = map(Path, sys.argv[1:3])
    target.write_text(f"/* Made by tools/embed.py from web/dist/{source.name}. */\n" +
                      "\n".join(lines(source.read_text(encoding="utf-8"))) + "\n", encoding="ascii")


if __name__ == "__main__":
    main()
