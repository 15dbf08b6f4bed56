#!/usr/bin/env bash
# Sends a server what its OpenAPI document allows, and what it does not, and fails on an answer 5xx. It
# needs Python with venv, and curl.
#
#   API_EXAMPLES   requests for each operation and phase; 15 if not set
#   API_DATABASE   URL of an empty PostgreSQL database for the state; SQLite if not set
#   API_SECONDS    after which it ends, with what it has found so far; 150 if not set
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server"; } || true; rm -rf "$scratch"' EXIT
[ -n "${TALLYSTICK:-}" ] || { TALLYSTICK=$scratch/tallystick && CGO_ENABLED=0 go build -o "$TALLYSTICK" ./cmd/tallystick; } # with the caches of this HOME
[ -n "${SCHEMATHESIS:-}" ] || SCHEMATHESIS=$(crosscheck/venv.sh api schemathesis==4.32.5)/bin/schemathesis
export HOME=$scratch XDG_DATA_HOME=$scratch/data XDG_STATE_HOME=$scratch/state

database=(${API_DATABASE:+--database "$API_DATABASE"})
"$TALLYSTICK" serve --listen 127.0.0.1:0 "${database[@]}" >"$scratch/out" 2>"$scratch/log" &
server=$!
for _ in $(seq 300); do
	address=$(sed -n 's/.*"msg":"listening","address":"\([^"]*\)".*/\1/p' "$scratch/log")
	[ -z "$address" ] || break
	kill -0 "$server" || { cat "$scratch/log"; exit 1; }
	sleep 0.1
done
api=http://$address/api/v1

# call METHOD PATH TOKEN BODY prints the answer.
call() {
	curl -sS --fail-with-body -X "$1" "$api$2" ${3:+-H "Authorization: Bearer $3"} -H 'Content-Type: application/json' -d "$4"
}
# member NAME prints a member of the JSON on standard input, which has one of that name.
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

words='gravel otter lantern vinegar mosaic'
call POST /bootstrap '' "{\"secret\":\"$(cat "$XDG_DATA_HOME/tallystick/bootstrap-secret")\",\"name\":\"root\",\"passphrase\":\"$words\"}" >/dev/null
root=$(call POST /sessions '' "{\"name\":\"root\",\"passphrase\":\"$words\"}" | member secret)
link=$(call POST /users "$root" '{"name":"tester","roles":["admin","scientist","operator","validator"]}' | member link)
call POST /enrolments/redemption '' "{\"link\":\"$link\",\"passphrase\":\"$words\"}" >/dev/null
session=$(call POST /sessions '' "{\"name\":\"tester\",\"passphrase\":\"$words\"}" | member secret)
token=$(call POST /tokens "$session" '{"label":"fuzz"}' | member secret)
call POST /models "$token" '{"name":"credit","state":"experimental"}' >/dev/null
call POST /models/credit/versions "$token" '{"version":"1"}' >/dev/null || true

# What would shut the tester out is left alone.
code=0
cd "$scratch" # where it keeps what it remembers
timeout --signal INT "${API_SECONDS:-150}" "$SCHEMATHESIS" run "$api/openapi.json" --url "http://$address" \
	--header "Authorization: Bearer $token" --checks not_a_server_error --phases examples,coverage,fuzzing \
	--max-examples "${API_EXAMPLES:-15}" --seed 8750 --request-timeout 20 --workers 2 --no-color \
	--suppress-health-check all --generation-database none \
	--exclude-operation-id close-session --exclude-operation-id disable-user --exclude-operation-id revoke-role \
	--exclude-operation-id revoke-token >"$scratch/report" 2>&1 || code=$?
tail -n 60 "$scratch/report"
# Our own faults are in the log, whatever the tool made of them.
if grep -E '"level":"ERROR"|"status":50[0-24-9]' "$scratch/log" | head -n 20 | grep .; then
	echo "the server answered 5xx"
	exit 1
fi
kill -TERM "$server" && wait "$server"
server=
requests=$(grep -c '"msg":"request"' "$scratch/log")
echo "$requests requests, no answer 5xx"
[ "$requests" -gt 500 ] || { echo "that is too few"; exit 1; }
case $code in
0 | 124 | 130) ;;
*) exit "$code" ;;
esac
"$TALLYSTICK" fsck "${database[@]}"
