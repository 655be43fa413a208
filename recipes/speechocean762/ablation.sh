#!/usr/bin/env bash
# What helps a student on speechocean762: a table with a row for each way to train it, all from the same ensemble.
#
#   ablation.sh EXP [--jobs N] [ROW...]
#
#   EXP       the experiment that run.sh made with phone states
#   --jobs N  threads (default: all cores); the results do not depend on it
#   ROW       the rows below to make (default: all, and the recipe's own student)
#
# Each row is a separate experiment in EXP/ablation, with the features and members of EXP, and its recipe except
# for the row's change. The table goes to standard output. Work that is already done is not repeated.
set -euo pipefail
root=$(CDPATH= cd "$(dirname "$0")/../.." && pwd)
source "$root/recipes/requirements.sh"

help_if_asked "$@"
[ $# -ge 1 ] && [ "${1#--}" = "$1" ] || usage
exp=$1 jobs=() only=()
shift
while [ $# -gt 0 ]; do
  case $1 in
    --jobs) jobs=(--jobs "${2:?--jobs needs a number}"); shift 2 ;;
    --*) usage ;;
    *) only+=("$1"); shift ;;
  esac
done
[ -s "$exp/scores.json" ] || fail 66 "$exp has no scores; run run.sh first"
rows='short patient soft geometric speed cosine adamw masks noise twelve twenty eight folds'
for name in ${only[@]+"${only[@]}"}; do
  [[ " $rows " == *" $name "* ]] || fail 64 "expected a row of $rows; found $name"
done
# A digest of the ensemble and its data; rows of other ensembles are made again.
identity=$(cat "$exp"/stages/{features,targets,member,baseline}* | cksum)
limbeck=$root/.build/release/limbeck
# Unless a row says otherwise: only the student, with λ = 0.1, trained by gradient descent with momentum, whose rate
# falls by the same factor at each step.
common=(--set students={} --set search=null --set subsets=null --set missingClass=null
  --set distillation.hardWeight=0.1
  --set student.training.optimizer=sgd --set student.training.weightDecay=0
  --set student.training.schedule=exponential
  --set student.training.learningRate=0.02 --set student.training.finalLearningRate=0.001)
shopt -s nullglob

# Makes one row, given its name, its description and its settings.
row() { # NAME TEXT SETTING...
  local name=$1 text=$2 own=$exp/ablation/$1 settings=() setting
  shift 2
  [ ${#only[@]} -eq 0 ] || [[ " ${only[*]} " == *" $name "* ]] || return 0
  for setting in "$@"; do settings+=(--set "$setting"); done
  if [ "$(cat "$own/identity" 2>/dev/null)" != "$identity" ]; then
    rm -rf "$own" "$own.new"
    mkdir -p "$own.new/models" "$own.new/stages"
    # Large files are complete once they have their final names, and never change, so hard links suffice.
    for folder in features targets; do cp -al "$exp/$folder" "$own.new/"; done
    cp -a "$exp/data" "$own.new/"
    cp -a "$exp"/models/{member,baseline,search-baseline}*.{safetensors,jsonl} "$own.new/models/"
    cp -a "$exp"/stages/{features,targets,member,baseline,search-baseline}* "$own.new/stages/"
    echo "$identity" >"$own.new/identity"
    mv "$own.new" "$own"
  fi
  some_limbeck "$own/ledger.jsonl" run "$exp/recipe.yaml" "$own" "${common[@]}" "${settings[@]}" \
    ${jobs[@]+"${jobs[@]}"} >/dev/null
  line "$text" <"$own/scores.md"
}

# Reads the tables of an experiment, and prints its row.
line() { # TEXT
  awk -F'|' -v text="$1" '
    { gsub(/^ +| +$/, "", $2) }
    $2 == "student" && !found++ { print "| " text " |" $5 "|" $6 "|" $8 "|" $9 "|" }'
}

echo '| student | development % | test % | test NLL | test ECE % |'
echo '| --- | ---: | ---: | ---: | ---: |'
# All rows except "short", "twelve", "twenty" and "eight" train for twenty epochs on the training frames, or for four
# on five times as many.
plain=(augmentation=null student.training.epochs=20)
four=student.training.epochs=4
row short '6 passes, half hard targets (λ = 0.5)' \
  augmentation=null student.training.epochs=6 distillation.hardWeight=0.5
row patient '20 passes, λ = 0.1' "${plain[@]}"
row soft '20 passes, λ = 0' "${plain[@]}" distillation.hardWeight=0
row geometric '20 passes, geometric mean' "${plain[@]}" distillation.mean=geometric
row speed "4 passes with the recipe's copies by speed" $four
cosine=(student.training.schedule=cosine student.training.finalLearningRate=0.0002)
row cosine '4 passes with copies by speed, the rate falling as a cosine' $four "${cosine[@]}"
row adamw '4 passes with copies by speed, the rate falling as a cosine, AdamW' $four "${cosine[@]}" \
  student.training.optimizer=adamw student.training.weightDecay=0.01 \
  student.training.learningRate=0.001 student.training.finalLearningRate=0.00001
row masks '4 passes with four copies, masked in time and frequency' $four \
  'augmentation={copies: 4, speed: [1], timeMasks: 2, frequencyMasks: 2}'
row noise '4 passes with four copies, noise at 30 to 50 dB and volume' $four \
  'augmentation={copies: 4, speed: [1], volume: 6, signalToNoise: [30, 50]}'
row twelve '12 passes with copies by speed' student.training.epochs=12
row twenty '20 passes with copies by speed, the rate falling as a cosine' student.training.epochs=20 \
  "${cosine[@]}"
row eight '7 passes with eight copies by speed' student.training.epochs=7 \
  'augmentation={copies: 8, speed: [0.82, 0.86, 0.9, 0.95, 1.05, 1.1, 1.16, 1.22]}'
row folds '20 passes, out-of-fold soft targets of five folds' "${plain[@]}" ensemble.folds=5
[ ${#only[@]} -gt 0 ] || "$limbeck" info "$exp" | line \
  "12 passes with copies by speed, as a cosine, AdamW, λ = 0: the recipe's own"
exit $status
