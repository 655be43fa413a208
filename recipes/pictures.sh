#!/usr/bin/env bash
# Draws the diagrams of the documentation with Graphviz: pictures.sh [--check]
#
# layers.svg shows the layers of Package.swift, with an arrow from each target to each target that it imports, except
# imports that follow from others. data-flow.svg shows the data flow from recordings to scores. Both suit light and
# dark pages. With --check nothing is written, and the exit status is 1 if layers.svg does not match Package.swift.
set -euo pipefail
CDPATH= cd "$(dirname "$0")/.."
source recipes/requirements.sh
case ${1:-} in -h | --help) sed -n '2,6s/^# \{0,1\}//p' recipes/pictures.sh; exit 0 ;; esac
require_build_tools
require_programs jq=jq dot=graphviz
folder=Sources/LimbeckCLI/Documentation.docc

# Draws a Graphviz graph, with colours for light and dark pages in place of Graphviz's.
draw() { # NAME COMMENT
  mkdir -p "$folder"
  dot -Tsvg | sed -E -e '/^<!DOCTYPE/,/>$/d' -e '/^<!-- Generated/,/-->/d' -e '/^<!--.*-->$/d' \
    -e 's| (fill\|stroke)="[^"]*"||g' >"$folder/$1.svg.part"
  awk -v comment="$2" -v style='<style>
  text { fill: #1d1d1f; }
  .node path, .node polygon, .node polyline, .node ellipse { fill: #f2f5f9; stroke: #5b6b7f; }
  .file path, .file polygon, .file polyline { fill: #fdf6e3; stroke: #a58a4b; }
  .edge path { fill: none; stroke: #7d8793; }
  .edge polygon { fill: #7d8793; stroke: #7d8793; }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f3f6; }
    .node path, .node polygon, .node polyline, .node ellipse { fill: #22272e; stroke: #8b98a8; }
    .file path, .file polygon, .file polyline { fill: #2e2a1f; stroke: #a58a4b; }
    .edge path { stroke: #8b98a8; }
    .edge polygon { fill: #8b98a8; stroke: #8b98a8; }
  }
</style>' '/^<g id="graph0"/ { print "<!-- " comment " -->"; print style } { print }' "$folder/$1.svg.part" \
    >"$folder/$1.svg"
  rm "$folder/$1.svg.part"
}

layers=$(swift package dump-package | jq -r '
  [.targets[] | select(.type == "regular" or .type == "executable")
    | select(.name | test("^C[A-Z]") or . == "TestSupport" or endswith("Records") | not)]
  | map(.name) as $layers
  | "digraph layers {",
    (.[] | "\(.name);"),
    (.[] | .name as $name | .dependencies[]
      | ((.byName // .target)? // [])[0] | select(. as $d | $layers | index($d)) | "\($name) -> \(.);"),
    "}"' | tred | LC_ALL=C sort | grep -v -e '^digraph' -e '^}')
digest=$(sha256sum <<<"$layers" | cut -c1-16)

if [ "${1:-}" = --check ]; then
  grep -q "layers $digest" "$folder/layers.svg" ||
    fail 1 "$folder/layers.svg: expected the layers of Package.swift, found others; run recipes/pictures.sh"
  exit
fi
[ $# -eq 0 ] || fail 64 "expected --check or nothing, found $*"

draw layers "layers $digest of Package.swift, drawn by recipes/pictures.sh" <<LAYERS
digraph layers {
  graph [bgcolor=transparent, ranksep=0.35, nodesep=0.25];
  node [shape=box, style=rounded, fontname="Helvetica", fontsize=12, height=0.35];
  edge [arrowsize=0.6];
  $layers
}
LAYERS

draw data-flow "drawn by recipes/pictures.sh" <<'FLOW'
digraph "data flow" {
  graph [bgcolor=transparent, rankdir=LR, ranksep=0.3, nodesep=0.25];
  node [fontname="Helvetica", fontsize=12, shape=box, style=rounded, height=0.4];
  edge [arrowsize=0.6];
  data [label="wav.scp\nsegments, utt2spk", class=file, style=""];
  alignments [label="CTM, TextGrid, PHN,\nHTK, Audacity, ark", class=file, style=""];
  scores [label="scores.json,\nreport.html", class=file, style=""];
  audio [label="Audio"];
  features [label="Features\nfeats.ark"];
  corpus [label="Corpus\ntargets.ark"];
  training [label="Training\nmembers, baseline"];
  distillation [label="Distillation\nsoft targets, student"];
  evaluation [label="Evaluation"];
  data -> audio -> features -> training -> distillation -> evaluation -> scores;
  alignments -> corpus -> training -> evaluation;
}
FLOW
