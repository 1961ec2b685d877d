"""`python -m stallmeter ...`: finds the program of that name and becomes it."""

import os
import site
import sys
import sysconfig


def places():
    """Where the program of this very package may lie: beside it in a build tree, else where installations put programs."""
    package = os.path.dirname(os.path.abspath(__file__))
    yield os.path.join(os.path.dirname(os.path.dirname(package)), "src", "cli")
    yield sysconfig.get_path("scripts")
    yield os.path.join(sys.base_prefix, "bin")
    yield os.path.join(os.path.dirname(package), "bin")  # pip install --target
    if site.ENABLE_USER_SITE:
        yield sysconfig.get_path("scripts", f"{os.name}_user")


def main():
    searched = list(dict.fromkeys(places()))
    for folder in searched:
        program = os.path.join(folder, "stallmeter")
        if os.access(program, os.X_OK) and not os.path.isdir(program):
            os.execv(program, ["stallmeter", *sys.argv[1:]])
    print("stallmeter: the program is not installed with this package; looked in", file=sys.stderr)
    for folder in searched:
        print(f"  {folder}", file=sys.stderr)
    return 70


if __name__ == "__main__":
    sys.exit(main())
