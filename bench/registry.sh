#!/usr/bin/env bash
# Measures a real server over a workspace of 10,000 models, 100,000 versions, a lineage of a million
# edges and millions of events: each list and page beside its limit. Nothing fails because of a figure.
#
#   QUICK=1      a hundredth of the size
#   SIZE=0.01    share of the full size; the whole takes long to write, and 16 GB
#   EVENTS=N     events, if not by the size
#   BENCH_DIR    where the workspace is kept for the next run
set -euo pipefail
cd "$(dirname "$0")/.."

size="${SIZE:-${QUICK:+0.01}}" size="${size:-1}" events="${EVENTS:-0}"
dir="${BENCH_DIR:-${TMPDIR:-/tmp}/tallystick-bench}/registry-$size-$events"
if [ ! -e "$dir/seeded" ]; then
	rm -rf "$dir"
	mkdir -p "$dir"
	go run ./bench/seed --dir "$dir" --size "$size" --events "$events" --seal
	touch "$dir/seeded"
fi
[ -x bin/tallystick ] || make build
program=$(mktemp)
trap 'rm -f "$program"' EXIT
go build -o "$program" ./bench/registry
printf '\nregistry of size %s, events %s\n\n' "$size" "${EVENTS:-by size}"
"$program" --server bin/tallystick --dir "$dir"
