#!/usr/bin/env bash
# The rules, and what a server exports, as promtool of Prometheus sees them.
# TALLYSTICK names the program; without it, it is built.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v promtool >/dev/null; then
	apt-get update -qq && apt-get install -y -qq --no-install-recommends prometheus curl
fi
promtool check rules deploy/prometheus/rules.yaml
promtool test rules deploy/prometheus/rules_test.yaml

scratch=$(mktemp -d)
server= watcher=
trap 'for one in $server $watcher; do kill "$one" 2>/dev/null; wait "$one" || true; done; rm -rf "$scratch"' EXIT
program=${TALLYSTICK:-$scratch/tallystick}
[ -n "${TALLYSTICK:-}" ] || go build -o "$program" ./cmd/tallystick
export XDG_STATE_HOME="$scratch/state" XDG_DATA_HOME="$scratch/data"
"$program" model register credit --tier low --owner ana --purpose 'score loans'
printf 'apiVersion: tallystick/v1\nkind: Objective\nname: credit-answered\nmodel: credit\nindicator: {answered: {}}\ntarget: 99%%\n' >"$scratch/objective.yaml"
"$program" register credit@1 --draft
"$program" objective apply -f "$scratch/objective.yaml"
"$program" objective judge credit-answered >/dev/null
"$program" serve --listen 127.0.0.1:0 2>"$scratch/log" &
server=$!
for _ in $(seq 100); do
	address=$(sed -n 's/.*"address":"\([^"]*\)".*/\1/p' "$scratch/log" | head -1)
	[ -n "$address" ] && curl -fsS "http://$address/metrics" -o "$scratch/metrics" 2>/dev/null && break
	sleep 0.2
done
grep -q '^tallystick_objective_budget_left_ratio{environment="",model="credit",objective="credit-answered"} 1$' "$scratch/metrics"
# promtool also grades names; the notes on names that Go's and other collectors chose are none of ours.
promtool check metrics <"$scratch/metrics" 2>"$scratch/notes" || true
! grep -E '^(error|tallystick_(objective|monitor|health)_)' "$scratch/notes"

# Latencies of predictions arrive as native histograms, which are asked for in protobuf alone.
export TALLYSTICK_SERVER=http://$address
echo 'gravel otter lantern vinegar mosaic' >"$scratch/passphrase"
"$program" user bootstrap root --passphrase-file "$scratch/passphrase"
"$program" login root --passphrase-file "$scratch/passphrase"
"$program" token create --label sender -o "$scratch/token"
for i in $(seq 100); do
	printf '{"model":"credit","version":"1","output":"approve","latency_us":%d}\n' $((i * 1000))
done >"$scratch/batch"
curl -fsS -o "$scratch/answer" -H "Authorization: Bearer $(cat "$scratch/token")" -H 'Content-Type: application/x-ndjson' --data-binary "@$scratch/batch" "$TALLYSTICK_SERVER/api/v1/predictions"
printf 'scrape_configs:\n- job_name: tallystick\n  scrape_interval: 1s\n  static_configs: [{targets: ["%s"]}]\n' "$address" >"$scratch/prometheus.yml"
port=$((20000 + RANDOM % 20000))
prometheus --config.file="$scratch/prometheus.yml" --storage.tsdb.path="$scratch/tsdb" --web.listen-address="127.0.0.1:$port" --enable-feature=native-histograms 2>"$scratch/prometheus.log" &
watcher=$!
ask() { promtool query instant "http://127.0.0.1:$port" "$1" 2>/dev/null; }
for _ in $(seq 100); do
	ask 'histogram_count(tallystick_prediction_latency_seconds{version="1"})' | grep -q '=> 100 ' && break
	sleep 0.2
done
ask 'histogram_count(tallystick_prediction_latency_seconds{version="1"})' | grep '=> 100 '
# Of 1 to 100 ms the median is 50 ms, and a bucket is at most a tenth wide.
ask 'histogram_quantile(0.5, tallystick_prediction_latency_seconds) > 0.045 < 0.055' | grep '=> 0.0'
echo "rules and metrics are as promtool wants them"
