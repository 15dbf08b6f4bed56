#!/usr/bin/env bash
# Holds DuckDB and PyArrow against `tallystick predictions stats` on the segment files of a running server.
set -euo pipefail
cd "$(dirname "$0")/.."
venv=$(crosscheck/venv.sh segment pyarrow==26.0.1 duckdb==2.0.0)
script=$PWD/crosscheck/aggregate.py
scratch=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server"; } || true; rm -rf "$scratch"' EXIT
[ -n "${TALLYSTICK:-}" ] || { TALLYSTICK=$scratch/tallystick && CGO_ENABLED=0 go build -o "$TALLYSTICK" ./cmd/tallystick; } # with the caches of this HOME
export HOME=$scratch XDG_DATA_HOME=$scratch/data XDG_STATE_HOME=$scratch/state

"$TALLYSTICK" serve --listen 127.0.0.1:0 >"$scratch/out" 2>"$scratch/log" &
server=$!
address=
for _ in $(seq 300); do
	address=$(sed -n 's/.*"msg":"listening","address":"\([^"]*\)".*/\1/p' "$scratch/log")
	[ -z "$address" ] || break
	kill -0 "$server" || { cat "$scratch/log"; exit 1; }
	sleep 0.1
done
export TALLYSTICK_SERVER=http://$address
echo 'gravel otter lantern vinegar mosaic' >"$scratch/passphrase"
"$TALLYSTICK" user bootstrap root --passphrase-file "$scratch/passphrase"
"$TALLYSTICK" login root --passphrase-file "$scratch/passphrase"
"$TALLYSTICK" model register credit --tier low --owner root --purpose 'score loans'
"$TALLYSTICK" register credit@1 --draft
"$TALLYSTICK" register credit@2 --draft
"$TALLYSTICK" token create --label sender -o "$scratch/token"
"$venv/bin/python" "$script" make | split -l 2000 - "$scratch/batch."
for batch in "$scratch"/batch.*; do
	curl -sS --fail-with-body -o "$scratch/answer" -H "Authorization: Bearer $(cat "$scratch/token")" -H 'Content-Type: application/x-ndjson' --data-binary "@$batch" "$TALLYSTICK_SERVER/api/v1/predictions"
	"$TALLYSTICK" predictions credit --limit 1 >/dev/null # so that there is a file for each batch
	sleep 1.1
done
"$TALLYSTICK" predictions stats credit --by version,f_region --rate 'output = approve' --mean score --quantile score:0.25,0.5,0.9 --histogram f_income:8:0:80000 --where 'f_income >= 10000' --format json >"$scratch/stats.json"
"$TALLYSTICK" predictions files credit --paths >"$scratch/files"
"$venv/bin/python" "$script" check "$scratch/stats.json" "$XDG_DATA_HOME/tallystick" <"$scratch/files"
