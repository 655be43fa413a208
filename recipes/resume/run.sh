#!/usr/bin/env bash
# Kills a run of the default recipe at random instants and compares its end with that of a run that was
# left alone, byte by byte.
#
#   run.sh [--kills N] [--longest SECONDS] [--seed N] [--quick]
#
#   --kills N          how often it is killed (default: 20)
#   --longest SECONDS  the longest time between two kills (default: 20)
#   --seed N           decides the times (default: 1)
#   --quick            the quick recipe instead, with kills within 2 seconds
#
# Threads and networks side by side change from run to run. A run that ends before it is killed begins its
# trainings anew. Exit status: 0 when models, soft targets and logs (but for rates) are the same, else 1.
set -euo pipefail
root=$(CDPATH= cd "$(dirname "$0")/../.." && pwd)
source "$root/recipes/requirements.sh"

usage() { sed -n '2,14s/^# \{0,1\}//p' "$0" >&2; exit 64; }
kills=20 longest=20 seed=1 quick=() recipe=recipe name=asterisk
while [ $# -gt 0 ]; do
  case $1 in
    --kills) kills=${2:?--kills needs a number}; shift 2 ;;
    --longest) longest=${2:?--longest needs seconds}; shift 2 ;;
    --seed) seed=${2:?--seed needs a number}; shift 2 ;;
    --quick) quick=(--quick) longest=2 recipe=quick name=asterisk-quick; shift ;;
    *) usage ;;
  esac
done
RANDOM=$seed
whole=$root/exp/resume/$name-whole killed=$root/exp/resume/$name-killed
"$root/recipes/asterisk/run.sh" ${quick[@]+"${quick[@]}"} --exp "$whole" >/dev/null
rm -rf "$killed"
mkdir -p "$killed"
cp -r "$whole/data" "$killed/data"
limbeck=$root/.build/release/limbeck
recipe=$root/recipes/asterisk/$recipe.yaml

done=0
while [ $done -lt "$kills" ]; do
  "$limbeck" run "$recipe" "$killed" --checkpoint-minutes 0.02 --threads $((1 + done % 2)) \
    --jobs $((1 + done / 2 % 2)) >/dev/null 2>&1 &
  pid=$!
  sleep "$(awk -v r=$RANDOM -v l="$longest" 'BEGIN { print 0.05 + l * r / 32768 }')"
  if kill -KILL $pid 2>/dev/null; then
    done=$((done + 1))
    echo "$(basename "$0"): killed $done of $kills times" >&2
  else
    rm -rf "$killed"/{models,soft-targets,stages}
  fi
  wait $pid 2>/dev/null || true
done
"$limbeck" run "$recipe" "$killed" >/dev/null

# Rates differ from run to run.
without_rates() { sed -E 's/"framesPerSecond":[0-9.e+]+,//' "$1"; }
status=0
while read -r file; do
  case $file in
    *.log.jsonl) cmp -s <(without_rates "$whole/$file") <(without_rates "$killed/$file") ;;
    *) cmp -s "$whole/$file" "$killed/$file" ;;
  esac || { echo "$(basename "$0"): $file differs" >&2; status=1; }
done < <(cd "$whole" && find models soft-targets features targets -type f ! -name '*.scp' | sort)
[ $status -eq 0 ] && echo "$(basename "$0"): killed $kills times, the same bytes" >&2
exit $status
