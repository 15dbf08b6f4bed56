#!/usr/bin/env bash
# Prints the directory of a Python virtual environment that holds the packages named, and nothing else:
#
#   crosscheck/venv.sh NAME PACKAGE==VERSION ...
#
# It lies in the user's cache and is made once for each list of packages. Needs Python with venv.
set -euo pipefail
name=$1
shift
wanted=$(printf '%s\n' "$@")
venv=${XDG_CACHE_HOME:-$HOME/.cache}/tallystick/venv/$name
mkdir -p "$(dirname "$venv")"
exec 9>"$venv.lock"
flock 9
if [ "$(cat "$venv/installed" 2>/dev/null)" != "$wanted" ]; then
	rm -rf "$venv"
	python3 -m venv "$venv"
	"$venv/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
	printf '%s\n' "$wanted" >"$venv/installed" # last: what is half installed is made again
fi
echo "$venv"
