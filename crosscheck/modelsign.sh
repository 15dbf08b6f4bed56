#!/usr/bin/env bash
# Signs models with package modelsign and verifies them with the reference tool of OpenSSF Model
# Signing, and the reverse. It installs the tool beside nothing else, and needs Python with venv.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
# model-signing imports pyOpenSSL without asking for it.
"$scratch/venv/bin/pip" install --quiet model-signing==1.1.1 pyOpenSSL==26.4.0
MODEL_SIGNING="$scratch/venv/bin/model_signing" go test -count=1 -run '^TestReferenceTool$' -v ./internal/modelsign
