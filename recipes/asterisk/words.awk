# Writes the transcript of each prompt as lower-case words.
#
# Input:  NAME: transcript          (core-sounds-en.txt of Asterisk)
# Output: NAME|words|          for speech
#         NAME||reason          for a prompt that is not speech
#
# Numbers up to 99 are read as one number, and multiples of 100 up to 9900 as hundreds ("eighty five
# hundred"). Longer numbers are read digit by digit, and a point between digits as "point".

BEGIN {
  split("one two three four five six seven eight nine ten eleven twelve thirteen fourteen " \
    "fifteen sixteen seventeen eighteen nineteen", small, " ")
  split("ten twenty thirty forty fifty sixty seventy eighty ninety", tens, " ")
  small[0] = "zero"
}

function below_hundred(n) {
  if (n < 20) return small[n]
  return tens[int(n / 10)] (n % 10 ? " " small[n % 10] : "")
}

function digits_one_by_one(text,  i, said) {
  for (i = 1; i <= length(text); i++) said = said " " small[substr(text, i, 1) + 0]
  return substr(said, 2)
}

function integer_in_words(text) {
  if (length(text) <= 2) return below_hundred(text + 0)
  if (length(text) <= 4 && text % 100 == 0) return below_hundred(text / 100) " hundred"
  return digits_one_by_one(text)
}

function number_in_words(text,  point) {
  point = index(text, ".")
  if (!point) return integer_in_words(text)
  return integer_in_words(substr(text, 1, point - 1)) " point " \
    digits_one_by_one(substr(text, point + 1))
}

# Replaces each number of `text` by words, with blanks around them.
function spell_numbers(text,  said) {
  while (match(text, /[0-9]+(\.[0-9]+)?/)) {
    said = said substr(text, 1, RSTART - 1) " " number_in_words(substr(text, RSTART, RLENGTH)) " "
    text = substr(text, RSTART + RLENGTH)
  }
  return said text
}

/^[ \t]*(;|$)/ { next }

{
  colon = index($0, ":")
  if (!colon) {
    printf "words.awk: line %d: expected `NAME: transcript`, found `%s`\n", NR, $0 > "/dev/stderr"
    exit 65
  }
  name = substr($0, 1, colon - 1)
  said = substr($0, colon + 1)
  sub(/\r$/, "", said)

  described = said
  gsub(/^[ \t]+|[ \t]+$/, "", described)
  gsub(/\[[^]]*\]|\([^)]*\)|<[^>]*>/, " ", said)  # notes: [@], (simple tone sound plays)

  gsub(/\*/, " star ", said)
  gsub(/#/, " pound ", said)
  said = tolower(spell_numbers(said))
  gsub(/\.org/, " dot org", said)
  gsub(/www\./, "w w w dot ", said)
  gsub(/[^a-z']/, " ", said)
  gsub(/ '|' /, " ", said)
  gsub(/ +/, " ", said)
  gsub(/^ +| +$/, "", said)

  if (said == "") printf "%s||no speech: %s\n", name, described
  else printf "%s|%s|\n", name, said
}
