#!/usr/bin/env bash
# Reads segment files with PyArrow and DuckDB, and holds what they say against the records.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(crosscheck/venv.sh segment pyarrow==26.0.1 duckdb==2.0.0)
SEGMENT_PYTHON=$venv/bin/python go test -count=1 -run '^TestOtherReaders$' -v ./internal/segment
