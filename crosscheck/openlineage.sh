#!/usr/bin/env bash
# Receives events from the OpenLineage Python client with package openlineage.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(crosscheck/venv.sh openlineage openlineage-python==1.54.0)
OPENLINEAGE_PYTHON=$venv/bin/python go test -count=1 -run '^TestPythonClient$' -v ./internal/openlineage
