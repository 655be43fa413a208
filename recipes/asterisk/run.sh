#!/usr/bin/env bash
# From recorded speech to a distilled acoustic model, its scores, and a report.
#
#   run.sh [--quick] [--exp DIR] [--jobs N] [--audio DIR --transcripts FILE]
#
#   --quick        use a fifth of the corpus and small networks, to see in a minute that everything works
#   --exp DIR      the experiment's folder (default: exp/asterisk, or exp/asterisk-quick)
#   --jobs N       threads (default: all cores); the results do not depend on it
#   --audio DIR, --transcripts FILE
#                  Asterisk's English prompts as WAV files, and core-sounds-en.txt, if the Debian packages
#                  asterisk-core-sounds-en-wav and asterisk-core-sounds-en are not available
#
# Missing packages are installed with apt-get. Work that is already done is not repeated.
set -euo pipefail
root=$(CDPATH= cd "$(dirname "$0")/../.." && pwd)
here=$root/recipes/asterisk
source "$root/recipes/requirements.sh"

recipe=$here/recipe.yaml every=1 exp='' audio='' transcripts='' jobs=()
help_if_asked "$@"
while [ $# -gt 0 ]; do
  case $1 in
    --quick) recipe=$here/quick.yaml every=5; shift ;;
    --exp) exp=${2:?--exp needs a folder}; shift 2 ;;
    --jobs) jobs=(--jobs "${2:?--jobs needs a number}"); shift 2 ;;
    --audio) audio=${2:?--audio needs a folder}; shift 2 ;;
    --transcripts) transcripts=${2:?--transcripts needs a file}; shift 2 ;;
    *) usage ;;
  esac
done
[ -n "$exp" ] || { [ $every -eq 1 ] && exp=$root/exp/asterisk || exp=$root/exp/asterisk-quick; }
if [ -n "$audio$transcripts" ] && { [ -z "$audio" ] || [ -z "$transcripts" ]; }; then usage; fi

require_build_tools
require_programs gnuplot=gnuplot-nox

# The corpus, from Debian unless given.
if [ -z "$audio" ]; then
  audio=/usr/share/asterisk/sounds/en_US_f_Allison
  transcripts=/usr/share/doc/asterisk-core-sounds-en/core-sounds-en.txt.gz
  # Some container images exclude /usr/share/doc; then take the transcripts from the package.
  unpacked=$exp/downloads$transcripts
  if [ ! -d "$audio" ] || [ ! -e "$transcripts" -a ! -e "$unpacked" ]; then
    install_packages asterisk-core-sounds-en asterisk-core-sounds-en-wav
  fi
  if [ ! -e "$transcripts" ] && [ ! -e "$unpacked" ]; then
    mkdir -p "$exp/downloads"
    (cd "$exp/downloads" && apt-get download -qq asterisk-core-sounds-en &&
      dpkg-deb -x asterisk-core-sounds-en_*.deb .)
  fi
  [ -e "$transcripts" ] || transcripts=$unpacked
fi

"$here/prepare.sh" "$audio" "$transcripts" "$exp/data"
if [ $every -gt 1 ]; then
  for list in "$exp"/data/{train,development,test}/{wav.scp,text,utt2spk}; do
    awk -v every=$every 'NR % every == 1' "$list" >"$list.part" && mv "$list.part" "$list"
  done
fi
for list in asterisk-en/senones pocketsphinx-en-us/states; do
  gzip -dc "$root/data/$list.txt.gz" >"$exp/data/${list#*/}.txt"
done

build_limbeck "$root" --product limbeck
limbeck=$root/.build/release/limbeck
some_limbeck "$exp/ledger.jsonl" run "$recipe" "$exp" --report ${jobs[@]+"${jobs[@]}"}
exit $status
