#!/usr/bin/env bash
# Every number of the audit against scikit-learn, Fairlearn, SciPy and statsmodels, and how often it
# alarms where nothing has changed. Takes about 15 minutes and downloads the Python packages.
set -euo pipefail
cd "$(dirname "$0")/../.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
CGO_ENABLED=0 go build -o "$scratch/tallystick" ./cmd/tallystick
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet --disable-pip-version-check -r crosscheck/requirements.txt
export PYTHONDONTWRITEBYTECODE=1
"$scratch/venv/bin/python" crosscheck/crosscheck.py "$scratch/tallystick"
"$scratch/venv/bin/python" crosscheck/simulate.py "$scratch/tallystick" "${CROSSCHECK_FILES:-200}"
