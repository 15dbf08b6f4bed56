#!/usr/bin/env bash
# Signs models with package modelsign and verifies them with the reference tool of OpenSSF Model
# Signing, and the reverse.
set -euo pipefail
cd "$(dirname "$0")/.."
# model-signing imports pyOpenSSL without asking for it.
venv=$(crosscheck/venv.sh modelsign model-signing==1.1.1 pyOpenSSL==26.4.0)
MODEL_SIGNING=$venv/bin/model_signing go test -count=1 -run '^TestReferenceTool$' -v ./internal/modelsign
