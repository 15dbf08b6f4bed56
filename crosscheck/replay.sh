#!/usr/bin/env bash
# Asks a model that MLflow serves what was asked of another one before, and compares what the program says of it with what
# scikit-learn says. It needs Python with venv.
set -euo pipefail
cd "$(dirname "$0")/.."
scratch=$(mktemp -d)
served=
trap '[ -z "$served" ] || { kill -- "-$served" 2>/dev/null; wait "$served"; } || true; rm -rf "$scratch"' EXIT
[ -n "${TALLYSTICK:-}" ] || { TALLYSTICK=$scratch/tallystick && CGO_ENABLED=0 go build -o "$TALLYSTICK" ./cmd/tallystick; } # with the caches of this HOME
venv=$(crosscheck/venv.sh mlflow mlflow-skinny==3.14.0 scikit-learn==1.9.1 pandas==2.3.3 numpy==2.4.6)
export HOME=$scratch XDG_DATA_HOME=$scratch/data XDG_STATE_HOME=$scratch/state MLFLOW_DISABLE_TELEMETRY=true MLFLOW_LOGGING_LEVEL=ERROR PATH=$venv/bin:$PATH

# Two models of the same data; what the first says is recorded, the second is served. Features are whole and other numbers and text.
"$venv/bin/python" -W ignore crosscheck/replay.py "$scratch"
"$TALLYSTICK" model register credit --tier limited --owner ana --purpose 'score loans' >"$scratch/out"
"$TALLYSTICK" register credit@1 --draft >"$scratch/out"
"$TALLYSTICK" register credit@2 --draft >"$scratch/out"
"$TALLYSTICK" predictions record "$scratch/sent.ndjson" >"$scratch/out"
"$TALLYSTICK" incident open credit@1 --title 'too much is granted' --format json >"$scratch/incident.json"
incident=$(sed -n 's/.*"id": "\(.*\)",/\1/p' "$scratch/incident.json" | head -n 1)

port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
setsid "$venv/bin/mlflow" models serve -m "$scratch/model" --env-manager local --host 127.0.0.1 --port "$port" >"$scratch/served" 2>&1 &
served=$!
for _ in $(seq 600); do
	"$venv/bin/python" -c "import urllib.request; urllib.request.urlopen('http://127.0.0.1:$port/ping', timeout=1)" 2>/dev/null && break
	kill -0 "$served" || { cat "$scratch/served"; exit 1; }
	sleep 0.1
done
"$TALLYSTICK" replay "$incident" --ids "$scratch/ids" --limit 200 --as mlflow --against "http://127.0.0.1:$port" --version 2 --format json >"$scratch/replay.json"
"$TALLYSTICK" incident show "$incident" | grep -q 'replay, sha256:' || { echo "the incident does not tell of it"; exit 1; }
"$TALLYSTICK" fsck >"$scratch/out"
"$venv/bin/python" - "$scratch" <<'PYTHON'
import json, sys
told = json.load(open(sys.argv[1] + "/replay.json"))["result"]["outcome"]
want = json.load(open(sys.argv[1] + "/want.json"))
got = {"sent": told["sent"], "answered": told["answered"], "changed": told["decisions"]["k"]}
if got != want:
    sys.exit(f"the replay says {got}, scikit-learn {want}: {told}")
print(f"{want['changed']} of {want['answered']} decisions changed, as scikit-learn says")
PYTHON
