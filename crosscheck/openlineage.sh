#!/usr/bin/env bash
# Receives events from the OpenLineage Python client with package openlineage. It installs the
# client beside nothing else, and needs Python with venv.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet openlineage-python==1.54.0
OPENLINEAGE_PYTHON="$scratch/venv/bin/python" go test -count=1 -run '^TestPythonClient$' -v ./internal/openlineage
