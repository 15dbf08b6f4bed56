#!/usr/bin/env bash
# Runs the benchmarks and prints them beside their limits, which are measured in the same run.
# Nothing fails because of a figure: machines differ, ratios less so.
#
#   QUICK=1     small sizes, under two minutes: shows that everything runs, not how fast it is
#   BENCH_DIR   where the generated tables are kept for the next run
#   TALLYSTICK_TEST_POSTGRES  a server (eval "$(.ci/postgres start DIR)"); without it, what needs one is left out
set -euo pipefail
cd "$(dirname "$0")/.."

export TALLYSTICK_BENCH_DIR="${BENCH_DIR:-${TMPDIR:-/tmp}/tallystick-bench}"
mkdir -p "$TALLYSTICK_BENCH_DIR"
if [ -n "${QUICK:-}" ]; then
	seals=1x records=1x turns=2x checks=1x compares=1x entries=20000 rows=200000
else
	seals=4x records=10x turns=40x checks=5x compares=10x entries=1000000 rows=10000000
fi
export LEDGER_BENCH_ENTRIES="${LEDGER_BENCH_ENTRIES:-$entries}" TALLYSTICK_BENCH_ROWS="${TALLYSTICK_BENCH_ROWS:-$rows}"

results=$(mktemp)
trap 'rm -f "$results"' EXIT

# bench PACKAGE BENCHMARK TIMES runs one benchmark; one that fails is reported and the others go on.
bench() {
	printf '== %s %s (%ss)\n' "$1" "$2" "$SECONDS" >&2
	go test -run '^$' -bench "$2" -benchtime "$3" -timeout 60m "$1" 2> >(grep -v '^I[0-9]' >&2) | tee -a "$results" >&2 ||
		printf '!! %s %s failed\n' "$1" "$2" >&2
}

bench ./internal/trail 'Recorder$' "$records"
bench ./internal/api 'Register$' "$records"
bench ./internal/journal 'Journal$' "$turns"
bench ./internal/trail 'SealLatency$' "$seals"
bench ./internal/ledger 'Check$' "$checks"
bench ./internal/audit 'Audit$' 1x
bench ./internal/stat 'Compare$/^(sweep|radix)' "$compares"
bench ./internal/stat 'Compare$/exact/reference=100000$' "$compares"
bench ./internal/segment '^Benchmark(Write|Scan|Read|One)$' "$compares"
bench ./internal/window '^Benchmark(Add|Merge10000)$' "$checks"
bench ./internal/drift 'Judge1000Features$' "$records"
bench ./internal/monitor 'BenchmarkRun$' "$checks"
bench ./internal/comparison 'Versions$' "$checks"

case $(stat -f -c %T "${TMPDIR:-/tmp}" 2>/dev/null) in
tmpfs | ramfs) echo "note: ${TMPDIR:-/tmp} lies in memory, so that nothing was synced to a disk; set TMPDIR to one" ;;
esac
[ -z "${QUICK:-}" ] || echo "note: sizes this small show that everything runs; compare figures of a whole run only"
printf '\nledger of %s entries, audit of %s rows\n\n' "$LEDGER_BENCH_ENTRIES" "$TALLYSTICK_BENCH_ROWS"
go run ./bench/limits <"$results"
