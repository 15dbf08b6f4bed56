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
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server" || true; }; rm -rf "$scratch"' EXIT
program=${TALLYSTICK:-$scratch/tallystick}
[ -n "${TALLYSTICK:-}" ] || go build -o "$program" ./cmd/tallystick
export XDG_STATE_HOME="$scratch/state" XDG_DATA_HOME="$scratch/data"
work=(--workspace "$scratch/workspace")
"$program" model register credit --tier low --owner ana --purpose 'score loans' "${work[@]}"
printf 'apiVersion: tallystick/v1\nkind: Objective\nname: credit-answered\nmodel: credit\nindicator: {answered: {}}\ntarget: 99%%\n' >"$scratch/objective.yaml"
"$program" objective apply -f "$scratch/objective.yaml" "${work[@]}"
"$program" objective judge credit-answered "${work[@]}" >/dev/null
"$program" serve --listen 127.0.0.1:0 "${work[@]}" 2>"$scratch/log" &
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
echo "rules and metrics are as promtool wants them"
