#!/bin/sh
# Installs the Debian packages that the named lists ask for and this machine lacks.
#
#     tools/need.sh packaging/debian-build-deps.txt ...
#
# As root, or through sudo where it asks nothing. Otherwise it prints the one command that needs root and exits 4,
# having changed nothing. On a system without apt it trusts that the tools are there and says so.
set -eu

if ! command -v dpkg-query >/dev/null 2>&1; then
	echo "need: this is no Debian or Ubuntu; make sure of: $(cat "$@" | tr '\n' ' ')" >&2
	exit 0
fi

missing=
for package in $(cat "$@"); do
	case $(dpkg-query -W -f='${Status}' "$package" 2>/dev/null || true) in
	*"ok installed") ;;
	*) missing="$missing $package" ;;
	esac
done
[ -n "$missing" ] || exit 0

install="apt-get install -y --no-install-recommends$missing"
if [ "$(id -u)" = 0 ]; then
	as_root=
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
	as_root="sudo -n"
else
	echo "These packages are missing, and installing them needs root. Run this, then try again:" >&2
	echo "    sudo apt-get update && sudo $install" >&2
	exit 4
fi

echo "need: installing$missing" >&2
export DEBIAN_FRONTEND=noninteractive
$as_root apt-get -q update >&2
# shellcheck disable=SC2086
$as_root $install </dev/null >&2
