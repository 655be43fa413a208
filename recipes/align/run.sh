#!/usr/bin/env bash
# Aligns a Kaldi data directory with PocketSphinx and makes frame targets from the alignment.
#
#   run.sh DATA OUT [--lexicon FILE] [--root DIR] [--digits] [--channel N] [--allow-commands]
#          [--jobs N] [--config FILE]
#
#   OUT                  the output folder: phones.ctm, words.ctm, senones.txt, states.txt, oov.txt and
#                        ledger.jsonl, which align.py describes, and
#     targets/states/    the phone state of each frame: 39 phones and silence, three states each
#     targets/tied/      the tied state of each frame; only tied states that occur are classes
#   --config FILE        feature options in YAML that determine the number of frames
#                        (default: 25 ms every 10 ms of audio, at its own sample rate)
#   the other options    are passed to align.py
#
# Missing packages are installed; the first call makes a Python environment with the aligner in exp/align/.
# A run that was stopped resumes. Exit status: 0 all done, 65 some utterances skipped (each is listed in a
# ledger), 66 no such input.
set -euo pipefail
here=$(CDPATH= cd "$(dirname "$0")" && pwd)
root=$(CDPATH= cd "$here/../.." && pwd)
source "$root/recipes/requirements.sh"

help_if_asked "$@"
[ $# -ge 2 ] || usage
data=$1 out=$2
shift 2
align=() targets=()
while [ $# -gt 0 ]; do
  case $1 in
    --lexicon | --channel) align+=("$1" "${2:?$1 needs a value}"); shift 2 ;;
    --digits) align+=("$1"); shift ;;
    --allow-commands) align+=("$1"); targets+=("$1"); shift ;;
    --root | --jobs) align+=("$1" "${2:?$1 needs a value}"); targets+=("$1" "$2"); shift 2 ;;
    --config) targets+=("$1" "${2:?$1 needs a file}"); shift 2 ;;
    *) usage ;;
  esac
done

require_build_tools
environment=$root/exp/align/environment
require_python "$environment" "$here/requirements.txt"
some "$environment/bin/python" "$here/align.py" "$data" "$out" ${align[@]+"${align[@]}"}
build_limbeck "$root" --product limbeck
limbeck=$root/.build/release/limbeck
some_limbeck "$out/targets/states/ledger.jsonl" targets "$data" "$out/targets/states" --ark "$out/senones.txt" \
  --map "$out/states.txt" ${targets[@]+"${targets[@]}"}
some_limbeck "$out/targets/tied/ledger.jsonl" targets "$data" "$out/targets/tied" --ark "$out/senones.txt" \
  --names "$out/states.txt" ${targets[@]+"${targets[@]}"}
exit $status
