#!/usr/bin/env bash
# Makes Kaldi data directories from Asterisk's English prompts.
#
#   prepare.sh AUDIO TRANSCRIPTS OUT
#
# AUDIO        a folder of NAME.wav files, where NAME may contain a slash (digits/7.wav)
# TRANSCRIPTS  core-sounds-en.txt, plain or gzipped: `NAME: what is said` for each prompt, one a
#              line; comments start with a semicolon
# OUT          the output folder: train/ development/ test/, each with wav.scp, text and utt2spk in
#              byte order, and ledger.jsonl with a reason for each prompt skipped, one a line
#
# The part of a prompt depends only on its name: test if cksum(NAME) mod 10 is 0, development if it
# is 1, otherwise train.
set -euo pipefail
export LC_ALL=C

case ${1:-} in -h | --help) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 0 ;; esac
if [ $# -ne 3 ]; then
  sed -n '2,14s/^# \{0,1\}//p' "$0" >&2
  exit 64
fi
audio=$(CDPATH= cd "$1" 2>/dev/null && pwd) || { echo "prepare.sh: no such folder: $1" >&2; exit 66; }
transcripts=$2
out=$3
here=$(CDPATH= cd "$(dirname "$0")" && pwd)
[ -r "$transcripts" ] || { echo "prepare.sh: no such file: $transcripts" >&2; exit 66; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

leave_out() { # NAME REASON
  printf '{"utterance":"%s","stage":"prepare","reason":"%s"}\n' \
    "$1" "$(printf %s "$2" | sed 's/\\/\\\\/g; s/"/\\"/g')" >>"$work/ledger.jsonl"
}

mkdir -p "$out" "$work/train" "$work/development" "$work/test"
: >"$work/ledger.jsonl"
gzip -cdf "$transcripts" >"$work/transcripts"
awk -f "$here/words.awk" "$work/transcripts" >"$work/words"

while IFS='|' read -r name words reason; do
  if [ -n "$reason" ]; then leave_out "$name" "$reason"; continue; fi
  if [ ! -f "$audio/$name.wav" ]; then leave_out "$name" "no audio: $name.wav"; continue; fi
  read -r sum _ < <(printf %s "$name" | cksum)
  case $((sum % 10)) in
    0) part=test ;;
    1) part=development ;;
    *) part=train ;;
  esac
  id=allison-${name//\//_}
  printf '%s %s\n' "$id" "$audio/$name.wav" >>"$work/$part/wav.scp"
  printf '%s %s\n' "$id" "$words" >>"$work/$part/text"
  printf '%s allison\n' "$id" >>"$work/$part/utt2spk"
done <"$work/words"

cut -d '|' -f 1 "$work/words" | sort >"$work/transcribed"
(cd "$audio" && find . -name '*.wav' | sed 's#^\./##; s#\.wav$##' | sort) >"$work/recorded"
while read -r name; do leave_out "$name" "no transcript"; done \
  < <(comm -13 "$work/transcribed" "$work/recorded")

for part in train development test; do
  if [ ! -s "$work/$part/wav.scp" ]; then
    echo "prepare.sh: no prompt of $transcripts with audio in $audio falls to $part" >&2
    exit 65
  fi
  for file in wav.scp text utt2spk; do sort -o "$work/$part/$file" "$work/$part/$file"; done
  rm -rf "${out:?}/$part"
  mv "$work/$part" "$out/$part"
  echo "prepare.sh: $part $(wc -l <"$out/$part/text") prompts" >&2
done
mv "$work/ledger.jsonl" "$out/ledger.jsonl"
echo "prepare.sh: skipped $(wc -l <"$out/ledger.jsonl") prompts, see $out/ledger.jsonl" >&2
