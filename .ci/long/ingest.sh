#!/usr/bin/env bash
# Records predictions over HTTP as fast as a server takes them, for longer than the five minutes after which it joins their files, and prints how
# many it took and how much memory it had.
set -euo pipefail
cd "$(dirname "$0")/../.."
make build
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
go run ./bench/ingest --server bin/tallystick --dir "$dir" --for "${INGEST:-7m}"
