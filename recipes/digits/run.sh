#!/usr/bin/env bash
# Runs the commands of the documentation's page FromWAVs.md, in order.
#
#   run.sh [--exp DIR]
#
#   --exp DIR   the folder in which they run (default: exp/digits); it is emptied first
#
# The commands are read from the page, so that both are the same. Missing packages are installed. Afterwards, the student
# must be right on three times as many test utterances as by chance, and each of them must have posteriors.
set -euo pipefail
root=$(CDPATH= cd "$(dirname "$0")/../.." && pwd)
source "$root/recipes/requirements.sh"
help_if_asked "$@"

exp=$root/exp/digits
while [ $# -gt 0 ]; do
  case $1 in
    --exp) exp=${2:?--exp needs a folder}; shift 2 ;;
    *) usage ;;
  esac
done

require_build_tools
require_programs espeak-ng=espeak-ng
build_limbeck "$root" --product limbeck
# Only a folder of an earlier run is emptied.
[ ! -e "$exp" ] || [ -e "$exp/commands.sh" ] || fail 65 "$exp: expected no such folder, or one of this script"
rm -rf "$exp"
mkdir -p "$exp"
awk '/^```bash$/ { on = 1; next } /^```$/ { on = 0 } on' \
  "$root/Sources/LimbeckCLI/Documentation.docc/FromWAVs.md" >"$exp/commands.sh"
[ "$(grep -c limbeck "$exp/commands.sh")" -ge 7 ] || fail 70 "expected the commands of the page, found too few"
(cd "$exp" && LIMBECK=$root bash -euxo pipefail commands.sh)

accuracy=$(sed -n '/"decisions"/,$p' "$exp/exp/student.json" | sed -n 's/.*"accuracy" : \([0-9.]*\).*/\1/p' | head -1)
awk -v accuracy="$accuracy" 'BEGIN { exit !(accuracy >= 0.3) }' ||
  fail 65 "expected at least 0.3 of the test utterances right, found ${accuracy:-none}"
expected=$(wc -l <"$exp/parts/test/wav.scp")
found=$(wc -l <"$exp/posteriors-test/posteriors.scp")
[ "$found" -eq "$expected" ] || fail 65 "expected posteriors of $expected utterances, found $found"
echo "run.sh: $expected test utterances, a share of $accuracy right" >&2
