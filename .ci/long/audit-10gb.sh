#!/usr/bin/env bash
# Audits a generated file of 10 GB and fails if the process ever has more than 1 GiB resident.
#
#   AUDIT_BYTES    size of the file; 10,000,000,000 if not set
#   AUDIT_FORMAT   parquet, or csv; parquet if not set
#   AUDIT_LIMIT    KiB that may be resident; 1,048,576 if not set
#   TMPDIR         where the file lies meanwhile; CSV takes as much again for its columns
set -euo pipefail
cd "$(dirname "$0")/../.."

bytes=${AUDIT_BYTES:-10000000000} limit=${AUDIT_LIMIT:-1048576}
export TALLYSTICK_BENCH_FORMAT=${AUDIT_FORMAT:-parquet}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export TALLYSTICK_BENCH_DIR=$scratch XDG_DATA_HOME=$scratch/data XDG_STATE_HOME=$scratch/state

CGO_ENABLED=0 go build -o "$scratch/tallystick" ./cmd/tallystick
go test -c -o "$scratch/audit.test" ./internal/audit
generate() { (cd internal/audit && TALLYSTICK_BENCH_ROWS=$1 "$scratch/audit.test" -test.run '^TestBenchFiles$' -test.timeout 2h) | grep -F generated-; }

{ read -r sample; read -r reference; } < <(generate 200000)
rows=$((bytes / ($(stat -c %s "$sample") / 200000)))
rm "$sample"
started=$SECONDS
{ read -r data; read -r _; } < <(generate "$rows")
printf '%s rows, %s bytes, generated in %s s\n' "$rows" "$(stat -c %s "$data")" $((SECONDS - started))

started=$SECONDS
"$scratch/tallystick" audit "$data" --reference "$reference" --label label --score score --group region --out "$scratch/out" >"$scratch/printed" 2>&1 &
audit=$!
peak=0
while kill -0 "$audit" 2>/dev/null; do
	read -r _ now _ < <(grep '^VmHWM' "/proc/$audit/status" 2>/dev/null) && peak=$now || true # it never falls
	sleep 0.2
done
wait "$audit" && code=0 || code=$?
printf 'audited in %s s, exit code %s, %s MiB resident at most\n' $((SECONDS - started)) "$code" $((peak / 1024))
[ "$code" -le 1 ] || { cat "$scratch/printed"; exit 1; }
grep -c 'counted in cells' "$scratch/out/report.md" >/dev/null || echo "the report does not say that values were counted"
[ "$peak" -gt 0 ] && [ "$peak" -le "$limit" ] || { echo "more than $((limit / 1024)) MiB"; exit 1; }
