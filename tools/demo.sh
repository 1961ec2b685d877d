#!/bin/sh
# The demo: an ordinary training on real photographs, under `stallmeter run`, and its verdict. Everything it makes stays in
# this checkout (.venv-torch, data/, build/); the second time it starts at once.
set -eu
cd "$(dirname "$0")/.."

say() {
	printf '\n== %s\n' "$*" >&2
}

say "1/4 tools: a C compiler, zstd, Python's headers"
tools/need.sh packaging/debian-build-deps.txt

say "2/4 an environment with PyTorch, and stallmeter built into it (minutes, the first time)"
python=$(python3 tools/environments.py torch)
bin=$(dirname "$python")
# The tree's contents name the build: nothing is built twice, and a changed source is noticed.
sources=$(find meson.build meson_options.txt pyproject.toml include src python web -type f ! -path '*/__pycache__/*' -exec cksum {} + | sort | cksum)
installed=$(dirname "$bin")/stallmeter-sources
if [ "$(cat "$installed" 2>/dev/null)" != "$sources" ]; then
	"$python" -m pip install -qq --disable-pip-version-check --no-deps --force-reinstall . </dev/null
	printf '%s\n' "$sources" >"$installed"
fi

say "3/4 photographs"
"$python" tools/photos.py data/photos

say "4/4 stallmeter run -- python examples/train_photos.py data/photos"
mkdir -p data/runs
run=data/runs/photos-$(date +%Y%m%d-%H%M%S)
PATH=$bin:$PATH stallmeter run -o "$run" -- python examples/train_photos.py data/photos

say "the report, one file to open or to send: $PWD/$run/report.html"
echo "   again as text:   $bin/stallmeter report $run" >&2
