#!/usr/bin/env bash
# Receives logs and spans from the OpenTelemetry SDK for Python, over HTTP and gRPC, with TLS and without, with package otlp.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(crosscheck/venv.sh otlp opentelemetry-sdk==1.39.1 opentelemetry-exporter-otlp-proto-http==1.39.1 opentelemetry-exporter-otlp-proto-grpc==1.39.1)
OTLP_PYTHON=$venv/bin/python go test -count=1 -run '^TestPythonExporters$' -v ./internal/otlp
