#!/usr/bin/env bash
# From TIMIT to a distilled acoustic model, its scores, and a report.
#
#   run.sh TIMIT [--until STAGE] [--exp DIR] [--jobs N]
#
#   TIMIT            the corpus (LDC93S1)
#   --until STAGE    the last stage, as in limbeck run (default: score)
#   --exp DIR        the experiment's folder (default: exp/timit)
#   --jobs N         threads (default: all cores); the results do not depend on it
#
# Trains on 462 speakers, with 50 for development and the 24 of the core test set, without the SA sentences.
# The 61 symbols are folded to 48 phones, each split into three states of equal length, and scored as 39.
# Missing packages are installed. Work that is already done is not repeated.
set -euo pipefail
root=$(CDPATH= cd "$(dirname "$0")/../.." && pwd)
here=$root/recipes/timit
source "$root/recipes/requirements.sh"

help_if_asked "$@"
[ $# -ge 1 ] && [ "${1#--}" = "$1" ] || usage
corpus=$1 exp=$root/exp/timit jobs=() until=()
shift
while [ $# -gt 0 ]; do
  case $1 in
    --until) require_stage "${2:?--until needs a stage}"; until=(--until "$2"); shift 2 ;;
    --exp) exp=${2:?--exp needs a folder}; shift 2 ;;
    --jobs) jobs=(--jobs "${2:?--jobs needs a number}"); shift 2 ;;
    *) usage ;;
  esac
done

require_build_tools
require_programs gnuplot=gnuplot-nox
some "$here/prepare.sh" "$corpus" "$exp/data"
cp "$root"/data/timit/{61-48,48-39}.map "$exp/data/"
build_limbeck "$root" --product limbeck
limbeck=$root/.build/release/limbeck
for part in train development test; do
  some "$limbeck" validate "$exp/data/$part" ${jobs[@]+"${jobs[@]}"} >&2
done
[ ${#until[@]} -gt 0 ] || until=(--report)
some_limbeck "$exp/ledger.jsonl" run "$here/recipe.yaml" "$exp" "${until[@]}" ${jobs[@]+"${jobs[@]}"}
exit $status
