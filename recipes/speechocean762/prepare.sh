#!/usr/bin/env bash
# Makes Kaldi data directories from speechocean762 (OpenSLR 101) whose parts share no speaker.
#
#   prepare.sh CORPUS OUT
#
# CORPUS   the unpacked download (WAVE/, train/, test/, resource/lexicon.txt), or its training half as
#          one data directory (data/, audio/, lexicon.txt)
# OUT      the output folder: train/ development/ test/, each with wav.scp, text, utt2spk, spk2utt and
#          spk2gender in byte order; lexicon.txt; and ledger.jsonl with the utterances skipped
#
# Exit status: 0 all done, 65 some utterances skipped, any other if nothing was made.
#
# The training half's speakers are sorted by the cksum of their ids. The first 12 are the development
# set; if there is no test/, the next 25 are the test set.
set -euo pipefail
export LC_ALL=C

case ${1:-} in -h | --help) sed -n '2,16s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
if [ $# -ne 2 ]; then
  sed -n '2,16s/^# \{0,1\}//p' "$0" >&2
  exit 64
fi
fail() { echo "prepare.sh: $2" >&2; exit "$1"; }
corpus=$(CDPATH= cd "$1" 2>/dev/null && pwd) || fail 66 "no such folder: $1"
out=$2
if [ -d "$corpus/train" ]; then
  half=$corpus/train lexicon=$corpus/resource/lexicon.txt
else
  half=$corpus/data lexicon=$corpus/lexicon.txt
fi
for file in "$half"/{wav.scp,text,utt2spk} "$lexicon"; do
  [ -r "$file" ] || fail 66 "no such file: $file"
done

case $(realpath -m "$out")/ in
  "$(realpath "$corpus")"/*) fail 64 "OUT: expected a folder outside of the corpus, found $out" ;;
esac
mkdir -p "$out" || fail 74 "cannot make the folder $out"
if [ -d "$corpus/test" ]; then
  for file in "$corpus"/test/{wav.scp,text,utt2spk}; do
    [ -r "$file" ] || fail 66 "no such file: $file"
  done
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{train,development,test}

# The part of each speaker.
awk '{ print $2 }' "$half/utt2spk" | sort -u | while read -r speaker; do
  read -r sum _ < <(printf %s "$speaker" | cksum)
  echo "$sum $speaker"
done | sort -n >"$work/order"
has_test=$([ -d "$corpus/test" ] && echo 1 || echo 0)
awk -v has_test="$has_test" '{
  print $2, NR <= 12 ? "development" : NR <= 37 && !has_test ? "test" : "train"
}' "$work/order" >"$work/parts"

# Writes the lists of one part: the utterances of a half whose speakers belong to it.
select_part() { # HALF PART SPEAKERS
  local lists=$work/$2
  awk 'NR == FNR { keep[$1]; next } $2 in keep { print $1, $2 }' "$3" "$1/utt2spk" |
    sort >"$lists/utt2spk"
  for list in wav.scp text; do
    awk 'NR == FNR { keep[$1]; next } $1 in keep' "$lists/utt2spk" "$1/$list" | sort >"$lists/$list"
  done
  # Paths are relative to the corpus.
  awk -v root="$corpus/" '{
    path = $0; sub(/^[^ \t]+[ \t]+/, "", path); print $1, (path ~ /^\// ? "" : root) path
  }' "$lists/wav.scp" >"$lists/wav.scp.absolute"
  mv "$lists/wav.scp.absolute" "$lists/wav.scp"
  awk '{ list[$2] = list[$2] " " $1 } END { for (s in list) print s list[s] }' \
    "$lists/utt2spk" | sort >"$lists/spk2utt"
  [ ! -r "$1/spk2gender" ] ||
    awk 'NR == FNR { keep[$1]; next } $1 in keep' "$3" "$1/spk2gender" | sort >"$lists/spk2gender"
  [ -s "$lists/wav.scp" ] || fail 66 "$1: no utterance falls to $2"
}
for part in train development test; do
  awk -v part=$part '$2 == part { print $1 }' "$work/parts" >"$work/speakers"
  if [ $part = test ] && [ "$has_test" -eq 1 ]; then
    awk '{ print $2 }' "$corpus/test/utt2spk" | sort -u >"$work/speakers"
    select_part "$corpus/test" test "$work/speakers"
    shared=$(awk 'NR == FNR { known[$1]; next } $1 in known { printf " %s", $1 }' \
      "$work/parts" "$work/speakers")
    [ -z "$shared" ] || fail 66 "expected a test/ of other speakers, found those of train/, too:$shared"
  else
    select_part "$half" $part "$work/speakers"
  fi
done
# Utterances without a speaker belong to no part.
: >"$work/ledger.jsonl"
for folder in "$half" "$corpus/test"; do
  [ -r "$folder/wav.scp" ] || continue
  awk -v list="$folder/utt2spk" 'NR == FNR { known[$1]; next } NF && !($1 in known) {
    gsub(/[\\"]/, "\\\\&", $1)
    printf "{\"utterance\":\"%s\",\"stage\":\"prepare\",\"reason\":\"not in %s\"}\n", $1, list
  }' "$folder/utt2spk" "$folder/wav.scp" >>"$work/ledger.jsonl"
done
for part in train development test; do
  rm -rf "${out:?}/$part"
  mv "$work/$part" "$out/$part"
  echo "prepare.sh: $part: $(wc -l <"$out/$part/spk2utt") speakers," \
    "$(wc -l <"$out/$part/utt2spk") utterances" >&2
done
cp "$lexicon" "$out/lexicon.txt"
mv "$work/ledger.jsonl" "$out/ledger.jsonl"
[ ! -s "$out/ledger.jsonl" ] ||
  fail 65 "skipped $(wc -l <"$out/ledger.jsonl") utterances without a speaker, see $out/ledger.jsonl"
