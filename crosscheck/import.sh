#!/usr/bin/env bash
# Imports Parquet files that PyArrow has written in many layouts, and holds the records against what was written.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
[ -n "${TALLYSTICK:-}" ] || { TALLYSTICK=$scratch/tallystick && CGO_ENABLED=0 go build -o "$TALLYSTICK" ./cmd/tallystick; } # with the caches of this HOME
venv=$(crosscheck/venv.sh segment pyarrow==26.0.1 duckdb==2.0.0)
export HOME=$scratch XDG_DATA_HOME=$scratch/data XDG_STATE_HOME=$scratch/state
"$venv/bin/python" crosscheck/import.py "$TALLYSTICK" "$scratch"
