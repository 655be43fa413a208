# Sourced by the recipes: packages that they need, and exit statuses.

# Says what is wrong and ends the script with a status of sysexits.h.
fail() { # STATUS MESSAGE
  echo "$(basename "$0"): $2" >&2
  exit "$1"
}

# `cd` would print where it went, were it to look elsewhere.
unset CDPATH

# Ends the script unless an argument is a stage of `limbeck run`.
require_stage() { # STAGE
  case $1 in
    features | targets | train | search | distill | specialists | score) ;;
    *) fail 64 "--until: expected features, targets, train, search, distill, specialists or score, found $1" ;;
  esac
}

# 65 once some utterances were skipped, else 0: what a recipe ends with.
status=0

# Runs a command that ends with 65 only when some utterances were skipped (a ledger names them): the
# recipe goes on. Any other failure ends it with the same status.
some() { # COMMAND...
  local own=0
  "$@" || own=$?
  case $own in 0) ;; 65) status=65 ;; *) exit $own ;; esac
}

# Runs $limbeck, which may leave utterances out and name them in LEDGER: the recipe goes on. Data that
# nothing can be made of ends it, with 65, too.
some_limbeck() { # LEDGER ARGUMENT...
  local ledger=$1
  shift
  "$limbeck" "$@" --allow-skipped 100%
  # Copies of an utterance may be too short where it is not.
  if awk '/"reason"/ && !/"part":"train-copy-/ { found = 1 } END { exit !found }' "$ledger"; then
    status=65
  fi
}

# Runs a command as root, by sudo where that is needed.
as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"
  elif command -v sudo >/dev/null; then sudo "$@"
  else fail 69 "this needs root or sudo: $*"
  fi
}

# Installs packages with apt-get, saying which.
install_packages() { # PACKAGE...
  command -v apt-get >/dev/null || fail 69 "there is no apt-get here to install: $*"
  echo "$(basename "$0"): installing $*" >&2
  export DEBIAN_FRONTEND=noninteractive
  as_root apt-get update -qq
  as_root apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

# Installs git, pkg-config and the libraries that the build needs, where they are missing; Swift must be there.
require_build_tools() {
  command -v swift >/dev/null ||
    fail 69 "there is no swift here: install a toolchain of version 6.2 or later from swift.org"
  local missing=()
  command -v git >/dev/null || missing+=(git)
  command -v pkg-config >/dev/null || missing+=(pkg-config)
  local module package
  while read -r module package; do
    pkg-config --exists "$module" 2>/dev/null || missing+=("$package")
  done <<'LIBRARIES'
sndfile libsndfile1-dev
libmpg123 libmpg123-dev
fftw3 libfftw3-dev
openblas libopenblas-dev
libxxhash libxxhash-dev
zlib zlib1g-dev
libisal libisal-dev
samplerate libsamplerate0-dev
LIBRARIES
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

# Installs programs that are missing, by the Debian packages that have them.
require_programs() { # PROGRAM=PACKAGE...
  local missing=() pair
  for pair in "$@"; do command -v "${pair%%=*}" >/dev/null || missing+=("${pair#*=}"); done
  [ ${#missing[@]} -eq 0 ] || install_packages "${missing[@]}"
}

# Makes a Python environment with the packages of a list, unless it is there already.
require_python() { # ENVIRONMENT REQUIREMENTS
  cmp -s "$2" "$1/requirements.txt" && return
  rm -rf "$1"
  python3 -c 'import ensurepip' 2>/dev/null || install_packages python3 python3-venv
  python3 -m venv "$1"
  "$1/bin/pip" install --quiet -r "$2"
  cp "$2" "$1/requirements.txt"
}
