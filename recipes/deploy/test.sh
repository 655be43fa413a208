#!/usr/bin/env bash
# Checks what other programs make of a model: test.sh [ASTERISK]
#
# ASTERISK is an experiment of recipes/asterisk with a student and at least two members (default:
# exp/asterisk-quick, which `recipes/asterisk/run.sh --quick` makes). Two small time-delay networks are trained on
# its corpus in exp/deploy. check.py compares exported graphs, run by onnxruntime, and the Python lines of the page
# Deployment, with `limbeck posteriors`. Then label.py and the Swift program LabelStream label a recording; the lines
# must agree. Python packages are installed in exp/deploy/environment.
set -euo pipefail
root=$(CDPATH= cd "$(dirname "$0")/../.." && pwd)
source "$root/recipes/requirements.sh"
help_if_asked "$@"
asterisk=$(realpath "${1:-$root/exp/asterisk-quick}")
cd "$root"
[ -s "$asterisk/models/student.safetensors" ] ||
  fail 66 "$asterisk: expected an experiment with a student; run recipes/asterisk/run.sh --quick"
require_build_tools
deploy=$root/exp/deploy
mkdir -p "$deploy"
require_python "$deploy/environment" recipes/deploy/requirements.txt
python=$deploy/environment/bin/python
build_limbeck "$root" --product limbeck
limbeck=.build/release/limbeck

# Time-delay networks: one on plain features, one on every kind of transform.
ln -sfn "$asterisk" "$deploy/asterisk"
train() { # NAME SETTING...
  local name=$1 settings=() setting
  shift
  for setting in "$@"; do settings+=(--set "$setting"); done
  some_limbeck "$deploy/$name/ledger.jsonl" \
    run recipes/deploy/time-delay.yaml "$deploy/$name" --until targets "${settings[@]}"
  some_limbeck "$deploy/$name/ledger.jsonl" \
    train recipes/deploy/time-delay.yaml "$deploy/$name" --member 0 "${settings[@]}"
}
train time-delay
train all-features features.melBins=23 features.snipEdges=false features.useEnergy=true \
  features.normalization=utterance features.normalizeVariance=true features.deltas=2

student=$asterisk/models/student.safetensors
"$limbeck" export "$student" "$deploy/student.onnx" --from audio
"$python" recipes/deploy/check.py "$limbeck" "$asterisk" "$deploy"

# A recording by two programs. Where two classes are equally probable they may differ.
# The longest recording: a line of wav.scp is an id and a path.
read -r _ wav < <(while read -r id path; do echo "$(stat -c %s "$path") $path"; done \
  <"$asterisk/data/test/wav.scp" | sort -rn | head -1)
"$python" recipes/deploy/label.py "$deploy/student.onnx" "$wav" >"$deploy/python.txt"
"$python" -c 'import sys, wave
with wave.open(sys.argv[1]) as file: sys.stdout.buffer.write(file.readframes(file.getnframes()))' "$wav" |
  Tests/Consumer/run.sh LabelStream "$student" >"$deploy/swift.txt"
awk '
  function frames() { return int(($2 - $1) * 100 + 0.5) }
  NR == FNR { for (i = frames(); i > 0; i--) python[++n] = $3; next }
  { for (i = frames(); i > 0; i--) { m++; if (python[m] != $3) different++ } }
  END {
    printf "labels of %.2f s of speech: %d of %d frames differ\n", n / 100, different, n
    exit !(n == m && n > 0 && different <= n / 1000)
  }' "$deploy/python.txt" "$deploy/swift.txt" ||
  fail 1 "expected the lines of $deploy/python.txt in $deploy/swift.txt, found others"
