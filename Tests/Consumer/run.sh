#!/usr/bin/env bash
# Builds the package of recipes/deploy/swift, which depends on this checkout by its path, and runs one of its programs:
#
#   run.sh PROGRAM ARGUMENT...      LabelStream or FrameProbabilities, whose sources say what they do
#
# The program must link neither libsndfile nor what reads YAML, protobuf or arguments.
set -euo pipefail
root=$(CDPATH= cd "$(dirname "$0")/../.." && pwd)
[ $# -ge 2 ] || { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 64; }
swift build -c release --package-path "$root/recipes/deploy/swift" --scratch-path "$root/.build/consumer" >&2
program=$root/.build/consumer/release/$1
shift
if ldd "$program" | grep -E 'sndfile|mpg123|samplerate'; then
  echo "run.sh: expected a program without audio libraries, found those above" >&2
  exit 1
fi
exec "$program" "$@"
