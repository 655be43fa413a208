#!/usr/bin/env bash
# Makes Kaldi data directories from TIMIT (LDC93S1).
#
#   prepare.sh TIMIT OUT
#
# TIMIT    the corpus: a folder with TRAIN/ and TEST/, or one of its parents; names in upper or lower case
# OUT      the output folder: train/ (all 462 speakers of TRAIN), development/ (50 speakers of TEST) and
#          test/ (the 24 of the core test set), each with wav.scp, text (from .TXT), utt2spk, spk2utt and
#          spk2gender in byte order, and labels/ with a link to each .PHN file
#
# An utterance's id is SPEAKER_SENTENCE in capitals, such as FCJF0_SX37. The SA sentences, which all
# speakers read, are skipped. Audio is SPHERE, or RIFF if a release also has .WAV.wav files.
set -euo pipefail
export LC_ALL=C
here=$(CDPATH= cd "$(dirname "$0")" && pwd)
lists=$here/../../data/timit

case ${1:-} in -h | --help) sed -n '2,13s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
if [ $# -ne 2 ]; then
  sed -n '2,13s/^# \{0,1\}//p' "$0" >&2
  exit 64
fi
fail() { echo "prepare.sh: $2" >&2; exit "$1"; }
corpus=$(CDPATH= cd "$1" 2>/dev/null && pwd) || fail 66 "no such folder: $1"
out=$2
case $(realpath -m "$out")/ in
  "$(realpath "$corpus")"/*) fail 64 "OUT: expected a folder outside of the corpus, found $out" ;;
esac
mkdir -p "$out" || fail 74 "cannot make the folder $out"
out=$(CDPATH= cd "$out" && pwd)
find_half() { find -L "$corpus" -mindepth 1 -maxdepth 4 -type d -iname "$1" | sort | head -1; }
train=$(find_half train) test=$(find_half test)
[ -n "$train" ] && [ -n "$test" ] ||
  fail 66 "$corpus: expected folders TRAIN and TEST in it, found no such"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/{train,development,test} "$work/labels"
: >"$work/ledger.jsonl"

# The part of each speaker of TEST.
declare -A part_of
while read -r speaker; do part_of[$speaker]=development; done <"$lists/development.txt"
while read -r speaker; do part_of[$speaker]=test; done <"$lists/core-test.txt"

leave_out() { # ID REASON
  printf '{"utterance":"%s","stage":"prepare","reason":"%s"}\n' "$1" "$2" >>"$work/ledger.jsonl"
}

# The first file with a given stem and one of several endings.
first_file() { # STEM END...
  local stem=$1 end
  shift
  for end; do
    [ ! -e "$stem$end" ] || { echo "$stem$end"; break; }
  done
}

# Assigns the sentences of one half to the parts of their speakers.
list_half() { # HALF
  find -L "$1" -type f ! -name '._*' \( -iname '*.phn' -o -iname '*.wav' \) |
    sed 's/\.[^./]*$//; s/\.[Ww][Aa][Vv]$//' | sort -u | while read -r stem; do
    folder=${stem%/*}
    sentence=${stem##*/} speaker=${folder##*/}
    sentence=${sentence^^} speaker=${speaker^^}
    case $sentence in SA*) continue ;; esac
    if [ "$1" = "$train" ]; then part=train
    else part=${part_of[$speaker]:-}
    fi
    [ -n "$part" ] || continue
    id=${speaker}_$sentence
    audio=$(first_file "$stem" .WAV .wav .WAV.wav .wav.wav)
    phones=$(first_file "$stem" .PHN .phn)
    words=$(first_file "$stem" .TXT .txt)
    [ -n "$audio" ] || { leave_out "$id" "no audio: $stem.WAV"; continue; }
    [ -n "$phones" ] || { leave_out "$id" "no labels: $stem.PHN"; continue; }
    echo "$id $audio" >>"$work/$part/wav.scp"
    echo "$id $speaker" >>"$work/$part/utt2spk"
    # A transcript is START END WORDS, with times in samples; limbeck validate reports missing ones.
    [ -z "$words" ] || echo "$id $(tr -d '\r' <"$words" | cut -d ' ' -f 3-)" >>"$work/$part/text"
    ln -s "$phones" "$work/labels/$id.PHN"
  done
}
list_half "$train"
list_half "$test"
# macOS puts such files on file systems that cannot store its metadata.
shadows=$(find -L "$train" "$test" -type f -name '._*' | wc -l)
[ "$shadows" -eq 0 ] || echo "prepare.sh: $shadows files ._NAME of a Mac, passed over" >&2

for part in train development test; do
  folder=$work/$part
  [ -s "$folder/wav.scp" ] || fail 66 "$corpus: no sentence falls to $part"
  touch "$folder/text"
  for list in wav.scp utt2spk text; do sort -o "$folder/$list" "$folder/$list"; done
  awk '{ list[$2] = list[$2] " " $1 } END { for (s in list) print s list[s] }' \
    "$folder/utt2spk" | sort >"$folder/spk2utt"
  # The first letter of a speaker's id is the speaker's sex.
  awk '{ print $1, tolower(substr($1, 1, 1)) }' "$folder/spk2utt" >"$folder/spk2gender"
  rm -rf "${out:?}/$part"
  mv "$folder" "$out/$part"
  speakers=$(wc -l <"$out/$part/spk2utt")
  echo "prepare.sh: $part: $speakers speakers, $(wc -l <"$out/$part/utt2spk") utterances" >&2
  case $part in train) usual=462 ;; development) usual=50 ;; test) usual=24 ;; esac
  [ "$speakers" -eq $usual ] ||
    echo "prepare.sh: $part: expected the $usual speakers of TIMIT, found $speakers" >&2
done
rm -rf "$out/labels"
mv "$work/labels" "$out/labels"
mv "$work/ledger.jsonl" "$out/ledger.jsonl"
[ ! -s "$out/ledger.jsonl" ] ||
  fail 65 "skipped $(wc -l <"$out/ledger.jsonl") sentences without audio or labels, see $out/ledger.jsonl"
