#!/usr/bin/env python3
"""Aligns a Kaldi data directory with PocketSphinx, to phones and to tied HMM states.

    align.py DATA OUT [--lexicon FILE] [--root DIR] [--digits] [--channel N] [--allow-commands]
             [--jobs N]

DATA contains `wav.scp` and `text` (in upper or lower case), and possibly `segments`. OUT receives
these files:

    phones.ctm     `utterance 1 start duration phone`, in seconds; noise fillers count as SIL
    words.ctm      `utterance 1 start duration word`, in seconds; silence and noise are SIL
    senones.txt    `utterance id id id ...`, one tied-state id per 10 ms frame (Kaldi text vectors)
    states.txt     `id symbol`, the phone state of each tied state of the model: `AA_1` to `AA_3`;
                   noise fillers count as SIL
    oov.txt        `word count`, the words without a pronunciation, most frequent first
    ledger.jsonl   each utterance that could not be aligned, with the reason

Pronunciations come from the lexicon (`word phone phone ...` on each line, ARPAbet; stress digits are
dropped), or else from the `en-us` dictionary of the pocketsphinx wheel, whose acoustic model makes the
alignment. The model expects 16 kHz; audio at another rate is resampled for the aligner only. Its
frames are 25.6 ms long and the last one is padded, so most utterances have one frame more than with
snip-edges.

OUT/align.journal records the utterances that are done, so that a run that was stopped resumes, and a
run with the same lists, lexicon, audio and options has nothing to align. The results depend neither
on interruptions nor on the number of jobs.

Exit status: 0 all aligned, 64 wrong usage, 65 some utterances skipped (see the ledger), 66 no such
input, 74 OUT cannot be written.
"""

import argparse
import collections
import hashlib
import io
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pocketsphinx
import soundfile
import soxr
from model import PHONES, states_of_model

SAMPLE_RATE = 16000
FRAMES_PER_SECOND = 100
FILLERS = {"+NSN+", "+SPN+"}
DIGITS = "zero one two three four five six seven eight nine".split()
# Far wider than the decoder's defaults: alignment is cheap, and pruning the path loses the utterance.
BEAMS = {"beam": 1e-120, "pbeam": 1e-120, "wbeam": 1e-120}


def fold(phone):
    """The written form of a phone: noise fillers count as silence."""
    return "SIL" if phone in FILLERS else phone


def spoken(word):
    """A word as the transcript has it, without the number of its pronunciation; SIL for silence and noise."""
    return "SIL" if word[0] in "<[+" else word.split("(")[0]


class Unalignable(Exception):
    """An utterance that has to be skipped; the message is the reason."""


class Aligner:
    """A PocketSphinx decoder with the wheel's model and a dictionary."""

    def __init__(self, dictionary):
        pocketsphinx.set_loglevel("FATAL")
        self.decoder = pocketsphinx.Decoder(
            samprate=SAMPLE_RATE, bestpath=False, lm=None, dict=dictionary, **BEAMS
        )

    def align(self, samples, words):
        """Returns [(word, [(phone, [(tied state, frames) x 3])])] for 16-bit samples at 16 kHz.

        Silence and noise are words called SIL.
        """
        try:
            # Reset the noise and mean estimates of earlier utterances: the order must not matter.
            self.decoder.reinit_feat()
            self.decoder.set_align_text(" ".join(words))
            self._decode(samples)
            if self.decoder.hyp() is None:
                raise Unalignable("the words do not fit the audio: no path to the last word")
            self.decoder.set_alignment()
            self._decode(samples)
            alignment = self.decoder.get_alignment()
        except RuntimeError as error:
            raise Unalignable(f"PocketSphinx: {error}") from error
        if alignment is None:
            raise Unalignable("the words do not fit the audio: no state alignment")
        return [
            (
                spoken(word.name),
                [
                    (fold(phone.name), [(int(state.name), state.duration) for state in phone])
                    for phone in word
                ],
            )
            for word in alignment
        ]

    def _decode(self, samples):
        self.decoder.start_utt()
        self.decoder.process_raw(samples.tobytes(), full_utt=True)
        self.decoder.end_utt()


def read_table(path, ledger):
    """Reads a Kaldi table with one entry per line: {key: the rest of the line}.

    A key whose line is malformed or that stands twice is put into the ledger instead.
    """
    table, bad = {}, {}
    for number, line in enumerate(path.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        key, *rest = line.decode("utf-8", errors="replace").split(maxsplit=1) or [""]
        if not key:
            continue
        if key in table or key in bad:
            bad[key] = f"{path}:{number}: expected each key once, found {key} again"
        elif not rest:
            bad[key] = f"{path}:{number}: expected a key and a value, found {key!r}"
        else:
            table[key] = rest[0].strip()
    ledger |= bad
    return {key: value for key, value in table.items() if key not in bad}


def read_pronunciations(path):
    """Reads `word phone phone ...`: {word: [pronunciations]}; unusable lines are reported."""
    lexicon = {}
    lines = path.read_text(encoding="utf-8-sig", errors="replace").splitlines()
    for number, line in enumerate(lines, 1):
        word, *phones = line.split() or [""]
        if not word or word.startswith("#"):
            continue
        phones = [phone.rstrip("012") for phone in phones]
        unknown = sorted(set(phones) - PHONES)
        if not phones or unknown:
            found = f"{line!r}" if not phones else " ".join(unknown)
            print(
                f"{path}:{number}: expected a word and phones of the model, found {found}; "
                "the line is not used",
                file=sys.stderr,
            )
            continue
        variants = lexicon.setdefault(word.lower().split("(")[0] or word.lower(), [])
        if " ".join(phones) not in variants:
            variants.append(" ".join(phones))
    return lexicon


def read_utterances(data, root, spell_digits):
    """Returns the ledger so far and [(utterance, audio, start, end, channel, words)].

    `start` and `end` are None without segments, `channel` where they do not say.
    """
    ledger, unusable = {}, {}
    texts = read_table(data / "text", ledger)
    if (data / "segments").exists():
        recordings = read_table(data / "wav.scp", unusable)
        segments = {}
        for utterance, rest in read_table(data / "segments", ledger).items():
            try:
                segments[utterance] = segment_of(rest.split())
            except (ValueError, IndexError):
                ledger[utterance] = (
                    f"{data / 'segments'}: expected a recording, a start before an end in seconds, and at "
                    f"most a channel from 0, found {rest!r}"
                )
    else:
        recordings = read_table(data / "wav.scp", ledger)
        segments = {utterance: (utterance, None, None, None) for utterance in recordings}
    utterances = []
    for utterance in sorted((texts.keys() | segments.keys()) - ledger.keys(), key=str.encode):
        if utterance not in texts:
            ledger[utterance] = f"not in {data / 'text'}"
        elif utterance not in segments:
            listed = "segments" if (data / "segments").exists() else "wav.scp"
            ledger[utterance] = f"not in {data / listed}"
        elif segments[utterance][0] not in recordings:
            recording = segments[utterance][0]
            ledger[utterance] = unusable.get(recording, f"{recording} is not in wav.scp")
        else:
            recording, start, end, channel = segments[utterance]
            audio = recordings[recording]
            if not audio.endswith("|"):
                audio = str(root / audio)
            words = texts[utterance].lower().split()
            if spell_digits:
                words = [name for word in words for name in spelled(word)]
            utterances.append((utterance, audio, start, end, channel, words))
    return ledger, utterances


def segment_of(fields):
    """Returns recording, start, end and channel (from 1, or None) of a line of segments."""
    recording, start, end = fields[0], float(fields[1]), float(fields[2])
    # Kaldi's extract-segments counts channels from zero.
    channel = int(fields[3]) + 1 if len(fields) == 4 else None
    if not 0 <= start < end < 1e7 or len(fields) > 4 or (channel or 1) < 1:
        raise ValueError(fields)
    return recording, start, end, channel


def spelled(word):
    """Spells a word of digits digit by digit; returns any other word unchanged."""
    if word.isascii() and word.isdigit():
        return [DIGITS[int(digit)] for digit in word]
    return [word]


def read_samples(audio, start, end, channel, allow_commands):
    """Reads one channel of a recording, resampled to 16 kHz, as 16-bit integers."""
    try:
        if audio.endswith("|"):
            if not allow_commands:
                raise Unalignable(f"a command, which is not run without --allow-commands: {audio}")
            done = subprocess.run(audio[:-1], shell=True, capture_output=True, check=False)
            if done.returncode:
                raise Unalignable(f"status {done.returncode} of the command {audio[:-1].strip()}")
            audio, source = audio[:-1].strip(), io.BytesIO(done.stdout)
        else:
            source = audio
        samples, rate = soundfile.read(source, dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError) as error:
        raise Unalignable(str(error)) from error
    count = samples.shape[1]
    if channel is None and count != 1:
        raise Unalignable(f"{audio}: expected one channel, found {count}; choose one of them")
    if channel is not None and channel > count:
        raise Unalignable(f"{audio}: expected a channel {channel}, found {count}")
    samples = samples[:, (channel or 1) - 1]
    if start is not None:
        samples = samples[round(start * rate) : round(end * rate)]
    if len(samples) == 0:
        raise Unalignable(f"{audio}: no samples" + ("" if start is None else f" from {start} s on"))
    if rate != SAMPLE_RATE:
        samples = soxr.resample(samples, rate, SAMPLE_RATE, quality="VHQ")
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2")


worker = None


def start_worker(dictionary, channel, allow_commands):
    global worker
    worker = (Aligner(dictionary), channel, allow_commands)


def align_utterance(job):
    """Returns an utterance, its alignment or None, and the reason for None."""
    utterance, audio, start, end, own_channel, words = job
    aligner, channel, allow_commands = worker
    try:
        samples = read_samples(audio, start, end, own_channel or channel, allow_commands)
        return utterance, aligner.align(samples, words), None
    except Unalignable as error:
        return utterance, None, str(error)


class Journal:
    """The completed utterances, one JSON line each, after a line that identifies the work."""

    def __init__(self, path, identity):
        self.done = {}
        lines = path.read_bytes().split(b"\n") if path.exists() else []
        whole = 0
        # Anything after the last line end is incomplete.
        if lines and lines[0].decode(errors="replace") == identity:
            for line in lines[:-1]:
                if whole:
                    utterance, alignment, reason = json.loads(line)
                    self.done[utterance] = (alignment, reason)
                whole += len(line) + 1
        self.file = open(path, "r+b" if whole else "wb")
        self.file.truncate(whole)
        self.file.seek(whole)
        if not whole:
            self.file.write(identity.encode() + b"\n")

    def add(self, utterance, alignment, reason):
        self.done[utterance] = (alignment, reason)
        self.file.write(json.dumps([utterance, alignment, reason]).encode() + b"\n")
        self.file.flush()


def identity_of(options, paths, utterances):
    """A line with everything that the alignment depends on."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(path.read_bytes() if path and path.exists() else b"-")
        digest.update(b"\0")
    for _, audio, *_ in utterances:
        if not audio.endswith("|") and os.path.exists(audio):
            facts = os.stat(audio)
            digest.update(f"{audio} {facts.st_size} {facts.st_mtime_ns}\n".encode())
    digest.update(repr([options.digits, options.channel, options.allow_commands]).encode())
    return f"align.py 3, pocketsphinx {version('pocketsphinx')}, {digest.hexdigest()}"


def write_dictionary(lexicon, words):
    """Writes the pronunciations of some words for the decoder; returns the file, which must be kept."""
    file = tempfile.NamedTemporaryFile("w", suffix=".dict", encoding="utf-8")
    for word in sorted(words):
        for number, phones in enumerate(lexicon[word], 1):
            file.write(f"{word if number == 1 else f'{word}({number})'} {phones}\n")
    # The decoder rejects a dictionary without words.
    if not words:
        file.write("zero Z IH R OW\n")
    file.flush()
    return file


def write_outputs(out, results, ledger, symbols, missing):
    """Writes all files, each renamed into place when complete."""
    parts = {}

    def part(name):
        parts[name] = open(out / f"{name}.part", "w", encoding="utf-8")
        return parts[name]

    phones_file, words_file, senones_file = part("phones.ctm"), part("words.ctm"), part("senones.txt")
    for utterance in sorted(results, key=str.encode):

        def write(file, start, end, label):
            times = f"{start / FRAMES_PER_SECOND:.2f} {(end - start) / FRAMES_PER_SECOND:.2f}"
            file.write(f"{utterance} 1 {times} {label}\n")

        frame, senones = 0, []
        for word, phones in results[utterance]:
            start = frame
            for phone, states in phones:
                frames = sum(count for _, count in states)
                write(phones_file, frame, frame + frames, phone)
                frame += frames
                for senone, count in states:
                    senones += [senone] * count
            write(words_file, start, frame, word)
        senones_file.write(" ".join([utterance, *map(str, senones)]) + "\n")
    states_file = part("states.txt")
    for senone in sorted(symbols):
        states_file.write(f"{senone} {symbols[senone]}\n")
    oov_file = part("oov.txt")
    for word, count in sorted(missing.items(), key=lambda item: (-item[1], item[0])):
        oov_file.write(f"{word} {count}\n")
    ledger_file = part("ledger.jsonl")
    for utterance in sorted(ledger, key=str.encode):
        entry = {"utterance": utterance, "stage": "align", "reason": ledger[utterance]}
        ledger_file.write(json.dumps(entry) + "\n")
    for name, file in parts.items():
        file.close()
        os.replace(out / f"{name}.part", out / name)


def fail(status, message):
    print(f"align.py: {message}", file=sys.stderr)
    raise SystemExit(status)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--lexicon", type=Path, help="pronunciations, `word phone phone ...` a line")
    parser.add_argument(
        "--root", type=Path, default=Path(), help="where relative paths in wav.scp start"
    )
    parser.add_argument(
        "--digits", action="store_true", help="read 42 as four two, where the text has digits"
    )
    parser.add_argument("--channel", type=int, help="the channel to take, from 1 (default: mono)")
    parser.add_argument(
        "--allow-commands", action="store_true", help="run entries of wav.scp that are commands"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.error = lambda message: fail(64, f"{message}\n{parser.format_usage()}")
    options = parser.parse_args()
    if options.jobs < 1 or (options.channel or 1) < 1:
        parser.error("--jobs and --channel: expected 1 or more")
    for path in [options.data / "wav.scp", options.data / "text", options.lexicon]:
        if path is not None and not path.is_file():
            fail(66, f"no such file: {path}")

    model = Path(pocketsphinx.get_model_path()) / "en-us"
    symbols = {state: fold_state(name) for state, name in states_of_model(model / "en-us/mdef")}
    lexicon = read_pronunciations(model / "cmudict-en-us.dict")
    lexicon |= read_pronunciations(options.lexicon) if options.lexicon else {}
    ledger, utterances = read_utterances(options.data, options.root, options.digits)
    missing = collections.Counter()
    jobs = []
    for job in utterances:
        unknown = [word for word in job[-1] if word not in lexicon]
        missing.update(unknown)
        if unknown:
            ledger[job[0]] = "no pronunciation: " + " ".join(sorted(set(unknown)))
        else:
            jobs.append(job)

    try:
        options.out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        fail(74, f"{options.out}: cannot be written: {error.strerror}")
    lists = [options.data / name for name in ["wav.scp", "text", "segments"]]
    identity = identity_of(options, [*lists, options.lexicon], jobs)
    journal = Journal(options.out / "align.journal", identity)
    if journal.done:
        print(f"align.py: {len(journal.done)} utterances are done", file=sys.stderr)
    left = [job for job in jobs if job[0] not in journal.done]
    dictionary = write_dictionary(lexicon, {word for job in jobs for word in job[-1]})
    settings = (dictionary.name, options.channel, options.allow_commands)
    with multiprocessing.Pool(min(options.jobs, max(1, len(left))), start_worker, settings) as pool:
        for count, result in enumerate(pool.imap(align_utterance, left), 1):
            journal.add(*result)
            if count % 100 == 0 or count == len(left):
                print(f"align.py: {count} of {len(left)} utterances", file=sys.stderr)

    ledger |= {key: reason for key, (_, reason) in journal.done.items() if reason is not None}
    results = {key: found for key, (found, reason) in journal.done.items() if reason is None}
    write_outputs(options.out, results, ledger, symbols, missing)
    if missing:
        common = ", ".join(f"{word} ({count})" for word, count in missing.most_common(10))
        print(
            f"align.py: {len(missing)} words without a pronunciation, see {options.out}/oov.txt: "
            f"{common}",
            file=sys.stderr,
        )
    print(
        f"align.py: {len(results)} utterances aligned, {len(ledger)} skipped, see "
        f"{options.out}/ledger.jsonl",
        file=sys.stderr,
    )
    return 65 if ledger else 0


def fold_state(name):
    """The symbol of a phone state, `AA_1`; noise fillers count as silence."""
    phone, _, number = name.rpartition("_")
    return f"{fold(phone)}_{number}"


if __name__ == "__main__":
    sys.exit(main())
