#!/usr/bin/env bash
# Compares tallystick audit with Evidently's data-drift preset on the same two files, which are generated.
#
#   TALLYSTICK_BENCH_ROWS   rows of the audited file; 1,000,000 if not set
#   BENCH_DIR               where files and the Python environment are kept for the next run
set -euo pipefail
cd "$(dirname "$0")/.."

export TALLYSTICK_BENCH_DIR="${BENCH_DIR:-${TMPDIR:-/tmp}/tallystick-bench}" PYTHONDONTWRITEBYTECODE=1
mkdir -p "$TALLYSTICK_BENCH_DIR"
venv="$TALLYSTICK_BENCH_DIR/venv"
if ! [ -x "$venv/bin/python" ]; then
	python3 -m venv "$venv"
fi
"$venv/bin/pip" install --quiet --disable-pip-version-check -r bench/requirements.txt
CGO_ENABLED=0 go build -o bin/tallystick ./cmd/tallystick
{ read -r data; read -r reference; } < <(go test -count=1 -v -run '^TestBenchFiles$' ./internal/audit | grep -F generated-)
"$venv/bin/python" bench/peers.py bin/tallystick "$data" "$reference"
