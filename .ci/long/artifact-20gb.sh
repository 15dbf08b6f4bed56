#!/usr/bin/env bash
# Uploads an artifact of 20 GB to a server and gets it back; fails if the server ever has more than 300 MiB
# resident, or the bytes differ. It needs curl, and as much space on the disk as the artifact is large.
#
#   ARTIFACT_BYTES   size of the artifact; 20,000,000,000 if not set
#   ARTIFACT_LIMIT   KiB that may be resident; 307,200 if not set
#   TMPDIR           where the workspace lies meanwhile
set -euo pipefail
cd "$(dirname "$0")/../.."

bytes=${ARTIFACT_BYTES:-20000000000} limit=${ARTIFACT_LIMIT:-307200}
scratch=$(mktemp -d)
server=
trap '[ -z "$server" ] || { kill "$server" 2>/dev/null; wait "$server"; } || true; rm -rf "$scratch"' EXIT
tallystick=$scratch/tallystick
CGO_ENABLED=0 go build -o "$tallystick" ./cmd/tallystick
export HOME=$scratch XDG_DATA_HOME=$scratch/data XDG_STATE_HOME=$scratch/state

# The file is sparse but for its ends: it takes its space once, in the store.
file=$scratch/weights.bin
head -c 1000000 /dev/urandom >"$file"
truncate -s $((bytes - 1000000)) "$file"
head -c 1000000 /dev/urandom >>"$file"

"$tallystick" serve --listen 127.0.0.1:0 >"$scratch/out" 2>"$scratch/log" &
server=$!
for _ in $(seq 300); do
	address=$(sed -n 's/.*"msg":"listening","address":"\([^"]*\)".*/\1/p' "$scratch/log")
	[ -z "$address" ] || break
	kill -0 "$server" || { cat "$scratch/log"; exit 1; }
	sleep 0.1
done
export TALLYSTICK_SERVER=http://$address

echo 'gravel otter lantern vinegar mosaic' >"$scratch/words"
"$tallystick" user bootstrap root --passphrase-file "$scratch/words" >/dev/null
"$tallystick" login root --passphrase-file "$scratch/words" >/dev/null
"$tallystick" user add ada --role scientist -o "$scratch/link" >/dev/null
"$tallystick" logout >/dev/null
"$tallystick" user redeem --link-file "$scratch/link" --passphrase-file "$scratch/words" >/dev/null
"$tallystick" login ada --passphrase-file "$scratch/words" >/dev/null
(umask 077 && "$tallystick" token create --label artifact -o "$scratch/token" >/dev/null)
"$tallystick" model register credit --state experimental >/dev/null

# resident PID prints how many KiB a process has had at most.
resident() { sed -n 's/^VmHWM:[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$1/status" 2>/dev/null; }

printf '%s bytes; the idle server has had %s MiB resident\n' "$bytes" $(($(resident "$server") / 1024))
started=$SECONDS
"$tallystick" register credit@1 "$file" --changelog first --upload >"$scratch/registered" 2>&1 &
upload=$!
mine=0
while kill -0 "$upload" 2>/dev/null; do
	now=$(resident "$upload") && mine=${now:-$mine} || true # it never falls
	sleep 0.2
done
wait "$upload" || { cat "$scratch/registered" "$scratch/log"; exit 1; }
printf 'hashed and uploaded in %s s: server %s MiB, client %s MiB resident at most\n' $((SECONDS - started)) $(($(resident "$server") / 1024)) $((mine / 1024))

started=$SECONDS
digest=$(curl -sS --fail -H "Authorization: Bearer $(cat "$scratch/token")" -H 'Tallystick-Purpose: see that it is whole' \
	"http://$address/api/v1/models/credit/versions/1/files/weights.bin" | sha256sum | cut -d' ' -f1)
peak=$(resident "$server")
printf 'downloaded and hashed in %s s: server %s MiB resident at most\n' $((SECONDS - started)) $((peak / 1024))
[ -e "$XDG_DATA_HOME/tallystick/artifacts/sha256/${digest:0:2}/$digest" ] || { echo "what came is not what is stored: $digest"; exit 1; }
[ "$digest" = "$(sha256sum "$file" | cut -d' ' -f1)" ] || { echo "what came is not what was sent: $digest"; exit 1; }
kill -TERM "$server" && wait "$server"
server=
[ "$peak" -gt 0 ] && [ "$peak" -le "$limit" ] || { echo "more than $((limit / 1024)) MiB"; exit 1; }
