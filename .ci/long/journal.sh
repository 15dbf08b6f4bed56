#!/usr/bin/env bash
# Flips a bit at every class of offset of a journal's files, of which CI takes a sample, and kills its writers 200 times.
set -euo pipefail
cd "$(dirname "$0")/../.."
JOURNAL_DAMAGE=all JOURNAL_CRASH_ROUNDS=200 go test -count=1 -timeout 30m -run 'FlippedBits|Kill' ./internal/journal
