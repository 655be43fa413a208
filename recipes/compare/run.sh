#!/usr/bin/env bash
# Runs recipes with this checkout and with another, and compares all results byte for byte.
#
#   run.sh OTHER [--speechocean762 CORPUS]
#
#   OTHER                     another checkout of this repository, such as the one before a refactoring
#   --speechocean762 CORPUS   also compare a small run on this corpus (see speechocean762/run.sh)
#
# Both use this checkout's recipes: the quick one and, on every tenth utterance of the corpus, recipe.yaml and
# specialists.yaml, which have a step of every kind. Features, targets, models, soft targets and scores are compared,
# except rates. Exit status: 0 if all are identical, else 1.
set -euo pipefail
root=$(CDPATH= cd "$(dirname "$0")/../.." && pwd)
source "$root/recipes/requirements.sh"

help_if_asked "$@"
[ $# -ge 1 ] && [ -r "$1/Package.swift" ] || usage
other=$(cd "$1" && pwd) corpus=''
shift
while [ $# -gt 0 ]; do
  case $1 in
    --speechocean762) corpus=${2:?--speechocean762 needs a folder}; shift 2 ;;
    *) usage ;;
  esac
done
require_build_tools
for checkout in "$root" "$other"; do
  build_limbeck "$checkout" --product limbeck
done

# All results of an experiment, one a line: a digest, ignoring rates and folders, and the path.
digests() {
  (cd "$1" && find features targets models soft-targets specialists -type f 2>/dev/null || true; ls "$1"/*.json 2>/dev/null |
    xargs -rn1 basename) | sort | while read -r file; do
    printf '%s %s\n' "$(sed -E -e 's/"framesPerSecond" ?: ?[0-9.e+-]+//g' -e "s#$1##g" "$1/$file" | sha256sum | cut -c1-64)" \
      "$file"
  done
}

status=0
# compare NAME RECIPE DATA
compare() {
  local exp=$root/exp/compare/$1 checkout
  rm -rf "$exp"
  for checkout in this other; do
    mkdir -p "$exp/$checkout"
    cp -r "$3" "$exp/$checkout/data"
    local program=$root
    [ $checkout = this ] || program=$other
    "$program/.build/release/limbeck" run "$2" "$exp/$checkout" >"$exp/$checkout.log" 2>&1 || [ $? -eq 65 ]
    digests "$exp/$checkout" >"$exp/$checkout.digests"
  done
  if diff "$exp/other.digests" "$exp/this.digests" >&2; then
    echo "$1: $(wc -l <"$exp/this.digests") files, the same bytes"
  else
    echo "$1: results differ"
    status=1
  fi
}

"$root/recipes/asterisk/run.sh" --quick --exp "$root/exp/compare/data-quick" >/dev/null 2>&1
compare quick "$root/recipes/asterisk/quick.yaml" "$root/exp/compare/data-quick/data"
if [ -n "$corpus" ]; then
  data=$root/exp/compare/data-speechocean762
  "$root/recipes/speechocean762/prepare.sh" "$corpus" "$data" >&2
  for list in "$data"/{train,development,test}/{wav.scp,text,utt2spk}; do
    awk 'NR % 10 == 1' "$list" >"$list.part" && mv "$list.part" "$list"
  done
  gzip -dc "$corpus/alignments/senones.txt.gz" >"$data/senones.txt"
  gzip -dc "$root/data/pocketsphinx-en-us/states.txt.gz" >"$data/states.txt"
  compare speechocean762 "$root/recipes/compare/recipe.yaml" "$data"
  compare specialists "$root/recipes/compare/specialists.yaml" "$data"
fi
exit $status
