#!/usr/bin/env bash
# Runs the example of FastAPI against a server that is killed and started again in the middle, and counts what
# came to be recorded. It needs Python with venv, and curl.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
scratch=$(mktemp -d)
server= app=
trap '[ -z "$app" ] || { kill "$app" 2>/dev/null; wait "$app"; } || true; [ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server"; } || true; rm -rf "$scratch"' EXIT
[ -n "${TALLYSTICK:-}" ] || { TALLYSTICK=$scratch/tallystick && CGO_ENABLED=0 go build -o "$TALLYSTICK" ./cmd/tallystick; } # with the caches of this HOME
venv=$(crosscheck/venv.sh fastapi fastapi==0.165.0 uvicorn==0.54.0)
export HOME=$scratch XDG_DATA_HOME=$scratch/data XDG_STATE_HOME=$scratch/state

# await FILE PATTERN PID prints what PATTERN, a sed expression with one group, finds in FILE.
await() {
	for _ in $(seq 600); do
		found=$(sed -n "s|$2|\1|p" "$1" | head -n 1)
		[ -z "$found" ] || { echo "$found"; return; }
		kill -0 "$3" || break
		sleep 0.1
	done
	cat "$1" >&2
	return 1
}
# start LISTEN begins a server.
start() {
	: >"$scratch/log"
	"$TALLYSTICK" serve --listen "$1" >"$scratch/out" 2>"$scratch/log" &
	server=$!
	address=$(await "$scratch/log" '.*"msg":"listening","address":"\([^"]*\)".*' "$server")
}
call() {
	curl -sS --fail-with-body -X POST "http://$address/api/v1$1" ${2:+-H "Authorization: Bearer $2"} -H 'Content-Type: application/json' -d "$3"
}
member() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p"; }

start 127.0.0.1:0
words='gravel otter lantern vinegar mosaic'
call /bootstrap '' "{\"secret\":\"$(cat "$XDG_DATA_HOME/tallystick/bootstrap-secret")\",\"name\":\"root\",\"passphrase\":\"$words\"}" >/dev/null
session=$(call /sessions '' "{\"name\":\"root\",\"passphrase\":\"$words\"}" | member secret)
link=$(call /users "$session" '{"name":"ada","roles":["scientist","validator"]}' | member link)
call /enrolments/redemption '' "{\"link\":\"$link\",\"passphrase\":\"$words\"}" >/dev/null
ada=$(call /sessions '' "{\"name\":\"ada\",\"passphrase\":\"$words\"}" | member secret)
call /models "$ada" '{"name":"credit","state":"experimental"}' >/dev/null
call /models/credit/versions "$ada" '{"version":"1"}' >/dev/null
curl -sS --fail-with-body -o "$scratch/answer" -X PUT "http://$address/api/v1/models/credit/body-rules/all" -H "Authorization: Bearer $ada" -H 'Content-Type: application/json' -d '{"share":1}'
call /users "$session" '{"name":"scorer","roles":["service"]}' >/dev/null
token=$(call /tokens "$session" '{"user":"scorer","label":"example","scopes":["prediction.record"]}' | member secret)

cd examples/fastapi
PYTHONDONTWRITEBYTECODE=1 TALLYSTICK_SERVER=http://$address TALLYSTICK_TOKEN=$token TALLYSTICK_INPUT_KEY=secret TALLYSTICK_BODIES=yes \
	"$venv/bin/uvicorn" app:app --port 0 --no-access-log >"$scratch/app" 2>&1 &
app=$!
cd "$root"
url=$(await "$scratch/app" '.*Uvicorn running on \(http://[0-9.:]*\).*' "$app")

# predict N makes predictions and keeps their ids.
predict() {
	for i in $(seq "$1"); do
		curl -sS --fail-with-body -D - -o "$scratch/answer" -X POST "$url/predict" -H 'Content-Type: application/json' \
			-H 'traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' \
			-d "{\"income\":${i}000,\"debt\":5000,\"city\":\"York\",\"customer\":\"c$i\"}" | tr -d '\r' | sed -n 's/^prediction-id: //p' >>"$scratch/ids"
	done
}
predict 40
kill -KILL "$server" && wait "$server" || true
predict 40 # nobody takes them
start "$address"
predict 20
[ "$(curl -sS -o /dev/null -w '%{http_code}' -X POST "$url/predict" -H 'Content-Type: application/json' -d '{}')" = 422 ] # recorded without a score
kill -TERM "$app" && wait "$app" || true
app=
kill -TERM "$server" && wait "$server"
server=
[ "$(sort -u "$scratch/ids" | wc -l)" = 100 ] || { echo "not every answer named its prediction"; exit 1; }
"$TALLYSTICK" log --type prediction.segment.sealed --format json >"$scratch/sealed"
python3 - "$scratch" "$venv" <<'PYTHON'
import json, re, sys
sealed = open(sys.argv[1] + "/sealed").read()
records = sum(int(n) for n in re.findall(r'"records":\s*"?(\d+)', sealed))
if records != 101:
    sys.exit(f"{records} predictions are in segments, want 101; the app says:\n" + open(sys.argv[1] + "/app").read())
PYTHON
"$TALLYSTICK" prove prediction "$(head -n 1 "$scratch/ids")" -o "$scratch/proof"
grep -q '"input_keyed":true' "$scratch/proof" && grep -q 4bf92f3577b34da6a3ce929d0e0e4736 "$scratch/proof" && grep -q '"route":"/predict"' "$scratch/proof"
[ "$("$TALLYSTICK" body show "$(head -n 1 "$scratch/ids")")" = '{"income":1000,"debt":5000,"city":"York","customer":"c1"}' ] || { echo "the body is not what was sent"; exit 1; }
"$TALLYSTICK" body show "$(head -n 1 "$scratch/ids")" --response | grep -q '"decision"' || { echo "the answer is not what came"; exit 1; }
"$TALLYSTICK" fsck
echo "101 predictions, each recorded once"
