#!/usr/bin/env bash
# Kills who joins, removes and erases predictions 66 times, six times at each stage of each; and servers under 32 clients that record predictions.
set -euo pipefail
cd "$(dirname "$0")/../.."
ARCHIVE_CRASH_ROUNDS=66 go test -count=1 -timeout 30m -run 'TestKill$' -v ./internal/archive
SERVE_CRASH_ROUNDS=20 go test -count=1 -timeout 30m -run PredictionsKill -v ./internal/cli
