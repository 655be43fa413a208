#!/usr/bin/env bash
# From speechocean762 to a distilled acoustic model, its scores, and a report.
#
#   run.sh CORPUS [--recipe NAME] [--until STAGE] [--exp DIR] [--jobs N]
#
#   CORPUS           the unpacked download of https://www.openslr.org/101, or its training half as one
#                    data directory (see prepare.sh)
#   --recipe NAME    states (default): 39 phones and silence, three states each, with a search of T and λ and
#                    networks trained on few frames; time-delay: the same classes with time-delay
#                    networks; tied: the aligner's tied states, some 4,800 classes, with specialists
#   --until STAGE    the last stage, as in limbeck run (default: score)
#   --exp DIR        the experiment's folder (default: exp/speechocean762-NAME)
#   --jobs N         threads (default: all cores); the results do not depend on it
#
# If the corpus has no alignments/, recipes/align makes them with the corpus's lexicon. Missing packages are
# installed. Work that is already done is not repeated; a run that was stopped resumes.
set -euo pipefail
root=$(CDPATH= cd "$(dirname "$0")/../.." && pwd)
here=$root/recipes/speechocean762
source "$root/recipes/requirements.sh"

help_if_asked "$@"
[ $# -ge 1 ] && [ "${1#--}" = "$1" ] || usage
corpus=$1 recipe=states exp='' jobs=() until=()
shift
while [ $# -gt 0 ]; do
  case $1 in
    --recipe) recipe=${2:?--recipe needs states, time-delay or tied}; shift 2 ;;
    --until) require_stage "${2:?--until needs a stage}"; until=(--until "$2"); shift 2 ;;
    --exp) exp=${2:?--exp needs a folder}; shift 2 ;;
    --jobs) jobs=(--jobs "${2:?--jobs needs a number}"); shift 2 ;;
    *) usage ;;
  esac
done
[ -r "$here/$recipe.yaml" ] || usage
[ -n "$exp" ] || exp=$root/exp/speechocean762-$recipe

require_build_tools
require_programs gnuplot=gnuplot-nox
some "$here/prepare.sh" "$corpus" "$exp/data"
build_limbeck "$root" --product limbeck
limbeck=$root/.build/release/limbeck
for part in train development test; do
  # Reports faults before any work is done; the utterances are skipped later.
  some "$limbeck" validate "$exp/data/$part" ${jobs[@]+"${jobs[@]}"} >&2
done

if [ -r "$corpus/alignments/senones.txt.gz" ]; then
  gzip -dc "$corpus/alignments/senones.txt.gz" >"$exp/data/senones.txt"
else
  all=$exp/align/data
  mkdir -p "$all"
  for list in wav.scp text; do
    LC_ALL=C sort "$exp"/data/{train,development,test}/$list >"$all/$list.new"
    cmp -s "$all/$list.new" "$all/$list" && rm "$all/$list.new" || mv "$all/$list.new" "$all/$list"
  done
  # Utterances that are already aligned with the same lexicon and audio are not aligned again.
  some "$root/recipes/align/run.sh" "$all" "$exp/align/out" --lexicon "$exp/data/lexicon.txt" \
    ${jobs[@]+"${jobs[@]}"}
  cp "$exp/align/out/senones.txt" "$exp/data/senones.txt"
fi
gzip -dc "$root/data/pocketsphinx-en-us/states.txt.gz" >"$exp/data/states.txt"

[ ${#until[@]} -gt 0 ] || until=(--report)
some_limbeck "$exp/ledger.jsonl" run "$here/$recipe.yaml" "$exp" "${until[@]}" ${jobs[@]+"${jobs[@]}"}
exit $status
