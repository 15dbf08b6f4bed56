#!/usr/bin/env bash
# Kills a server before each system call of a release and a rollback that changes a file or answers a client.
set -euo pipefail
cd "$(dirname "$0")/../.."
RELEASE_CUTS=all go test ./internal/cli -run '^TestReleaseCut$' -count=1 -timeout 2h -v
