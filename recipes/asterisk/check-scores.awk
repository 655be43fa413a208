#!/usr/bin/awk -f
# Checks that the ensemble in a scores.json is far above chance: a test accuracy of at least 0.30. The
# most frequent of the 120 classes, a state of silence, has 0.10 of the frames.
# Relies on the file's layout: keys sorted, one a line, `system` before `test`.

/"system" : "ensemble"/ { is_ensemble = 1 }
is_ensemble && /"test" : \{/ { is_test = 1 }
is_test && /"accuracy" :/ {
  gsub(/[^0-9.]/, "")
  printf "the ensemble's test accuracy: %s\n", $0
  found = 1
  exit $0 >= 0.30 ? 0 : 1
}
END {
  if (!found) { print "no test accuracy of the ensemble" > "/dev/stderr"; exit 1 }
}
