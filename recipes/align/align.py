#!/usr/bin/env python3
"""Aligns a Kaldi data directory with PocketSphinx, to phones and to tied HMM states.

    align.py DATA OUT [--lexicon FILE] [--root DIR] [--jobs N]

DATA holds `wav.scp` (paths) and `text` (words as the dictionary spells them, in lower case);
`segments` is used when it is there. OUT gets

    phones.ctm     `utterance 1 start duration phone`, seconds; noise fillers count as SIL
    senones.txt    `utterance id id id ...`, one tied-state id a 10 ms frame (Kaldi's text vectors)
    states.txt     `id symbol`, the phone state of each tied state of the model: `AA_1` to `AA_3`;
                   noise fillers count as SIL
    ledger.jsonl   each utterance that could not be aligned, with its reason

The acoustic model and the dictionary are the `en-us` ones of the pocketsphinx wheel. The model
hears 16 kHz; audio at another rate is resampled for the aligner alone. Its frames are 25.6 ms long
and the last one is padded, so an utterance mostly counts one frame more than snip-edges gives.

Exit status: 0 all aligned, 65 some left out (see the ledger), 66 no such input.
"""

import argparse
import json
import multiprocessing
import os
import struct
import sys
from pathlib import Path

import numpy as np
import pocketsphinx
import soundfile
import soxr

SAMPLE_RATE = 16000
FRAMES_PER_SECOND = 100
FILLERS = {"+NSN+", "+SPN+"}
# Far wider than the decoder's own: alignment is cheap, and a path pruned away is an utterance lost.
BEAMS = {"beam": 1e-120, "pbeam": 1e-120, "wbeam": 1e-120}


def fold(phone):
    """A phone as it is written: noise fillers count as silence."""
    return "SIL" if phone in FILLERS else phone


class Unalignable(Exception):
    """An utterance that has to be left out; the message is the reason."""


class Aligner:
    """A PocketSphinx decoder with the wheel's model, its dictionary and further words."""

    def __init__(self, lexicon):
        pocketsphinx.set_loglevel("FATAL")
        self.decoder = pocketsphinx.Decoder(samprate=SAMPLE_RATE, bestpath=False, lm=None, **BEAMS)
        for word, variants in lexicon.items():
            for number, phones in enumerate(variants, 1):
                name = word if number == 1 else f"{word}({number})"
                if self.decoder.lookup_word(name) is None:
                    self.decoder.add_word(name, phones, update=False)

    def align(self, samples, words):
        """Returns [(phone, [(tied state, frames) x 3])] for 16-bit samples at 16 kHz."""
        unknown = [word for word in words if self.decoder.lookup_word(word) is None]
        if unknown:
            raise Unalignable("not in the dictionary: " + " ".join(sorted(set(unknown))))
        try:
            # Forget the noise and the mean of the utterances before: the order must not matter.
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
            (fold(phone.name), [(int(state.name), state.duration) for state in phone])
            for word in alignment
            for phone in word
        ]

    def _decode(self, samples):
        self.decoder.start_utt()
        self.decoder.process_raw(samples.tobytes(), full_utt=True)
        self.decoder.end_utt()


def read_table(path):
    """Reads a Kaldi table of one line an entry: {key: the rest of the line}."""
    table = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        key, _, value = line.strip().partition(" ")
        if not key or not value.strip():
            raise SystemExit(f"{path}:{number}: expected a key and a value, found {line!r}")
        if key in table:
            raise SystemExit(f"{path}:{number}: {key} stands there twice")
        table[key] = value.strip()
    return table


def read_lexicon(path):
    """Reads `word phone phone ...`, stress digits dropped: {word: [pronunciations]}."""
    lexicon = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        fields = line.split()
        if not fields or fields[0].startswith("#"):
            continue
        if len(fields) < 2:
            raise SystemExit(f"{path}:{number}: expected a word and its phones, found {line!r}")
        phones = " ".join(phone.rstrip("012") for phone in fields[1:])
        variants = lexicon.setdefault(fields[0].lower(), [])
        if phones not in variants:
            variants.append(phones)
    return lexicon


def read_utterances(data, root):
    """Returns [(utterance, audio path, start, end, words)]; start and end are None without segments."""
    recordings = read_table(data / "wav.scp")
    texts = read_table(data / "text")
    segments = {}
    if (data / "segments").exists():
        for utterance, rest in read_table(data / "segments").items():
            recording, start, end = rest.split()
            segments[utterance] = (recording, float(start), float(end))
    utterances = []
    for utterance in sorted(texts):
        recording, start, end = segments.get(utterance, (utterance, None, None))
        path = recordings.get(recording)
        utterances.append(
            (utterance, path and str(root / path), start, end, texts[utterance].lower().split())
        )
    return utterances


def read_samples(path, start, end):
    """Reads mono audio, resampled to 16 kHz, as 16-bit integers."""
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.SoundFileError as error:
        raise Unalignable(str(error)) from error
    if samples.shape[1] != 1:
        raise Unalignable(f"{path}: expected one channel, found {samples.shape[1]}")
    samples = samples[:, 0]
    if start is not None:
        samples = samples[round(start * rate) : round(end * rate)]
    if rate != SAMPLE_RATE:
        samples = soxr.resample(samples, rate, SAMPLE_RATE, quality="VHQ")
    return np.clip(np.rint(samples * 32768), -32768, 32767).astype("<i2")


aligner = None


def start_worker(lexicon):
    global aligner
    aligner = Aligner(lexicon)


def align_utterance(job):
    utterance, path, start, end, words = job
    try:
        if path is None:
            raise Unalignable("not in wav.scp")
        return utterance, aligner.align(read_samples(path, start, end), words), None
    except Unalignable as error:
        return utterance, None, str(error)


def states_of_model(path):
    """Reads {tied state: symbol of its phone state} from a binary model definition.

    The layout is described in the file's own header and in bin_mdef.c of PocketSphinx.
    """
    content = path.read_bytes()
    (description,) = struct.unpack_from("<i", content, 8)
    offset = 12 + description
    n_base, n_phones, n_states, _, n_senones, _, n_sequences, _, n_tree, _ = struct.unpack_from(
        "<10i", content, offset
    )
    offset += 40
    names, end = [], offset
    for _ in range(n_base):
        start, end = end, content.index(b"\0", end) + 1
        names.append(content[start : end - 1].decode())
    offset += (end - offset + 3) // 4 * 4 + 8 * n_tree
    phones = list(struct.iter_unpack("<ii4B", content[offset : offset + 12 * n_phones]))
    offset += 12 * n_phones + 4
    sequences = struct.unpack_from(f"<{n_sequences * n_states}H", content, offset)
    symbols = {}
    for number, (sequence, _, _, base, _, _) in enumerate(phones):
        name = names[number if number < n_base else base]
        for state in range(n_states):
            senone = sequences[sequence * n_states + state]
            symbol = f"{fold(name)}_{state + 1}"
            if symbols.setdefault(senone, symbol) != symbol:
                raise SystemExit(f"{path}: {senone} is tied across {symbols[senone]} and {symbol}")
    if len(symbols) != n_senones:
        raise SystemExit(f"{path}: expected {n_senones} tied states, found {len(symbols)}")
    return symbols


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--lexicon", type=Path, help="words beyond the dictionary, `word phones`")
    parser.add_argument(
        "--root", type=Path, default=Path(), help="where relative paths in wav.scp start"
    )
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    options = parser.parse_args()
    for path in [options.data / "wav.scp", options.data / "text", options.lexicon]:
        if path is not None and not path.exists():
            print(f"align.py: no such file: {path}", file=sys.stderr)
            return 66

    lexicon = read_lexicon(options.lexicon) if options.lexicon else {}
    utterances = read_utterances(options.data, options.root)
    options.out.mkdir(parents=True, exist_ok=True)
    model = Path(pocketsphinx.get_model_path()) / "en-us" / "en-us"
    symbols, failed = states_of_model(model / "mdef"), 0
    names = ["phones.ctm", "senones.txt", "states.txt", "ledger.jsonl"]
    files = [open(options.out / f"{name}.part", "w", encoding="utf-8") for name in names]
    phones_file, senones_file, states_file, ledger_file = files
    with multiprocessing.Pool(options.jobs, start_worker, (lexicon,)) as pool:
        for done, (utterance, alignment, reason) in enumerate(
            pool.imap(align_utterance, utterances), 1
        ):
            if reason is not None:
                failed += 1
                entry = {"utterance": utterance, "stage": "align", "reason": reason}
                ledger_file.write(json.dumps(entry) + "\n")
                continue
            frame, senones = 0, []
            for phone, states in alignment:
                frames = sum(count for _, count in states)
                phones_file.write(
                    f"{utterance} 1 {frame / FRAMES_PER_SECOND:.2f} "
                    f"{frames / FRAMES_PER_SECOND:.2f} {phone}\n"
                )
                frame += frames
                for senone, count in states:
                    senones += [senone] * count
            senones_file.write(" ".join([utterance, *map(str, senones)]) + "\n")
            if done % 100 == 0:
                print(f"align.py: {done} of {len(utterances)} utterances", file=sys.stderr)
    for senone in sorted(symbols):
        states_file.write(f"{senone} {symbols[senone]}\n")
    for name, file in zip(names, files):
        file.close()
        os.replace(options.out / f"{name}.part", options.out / name)
    print(
        f"align.py: {len(utterances) - failed} utterances aligned, {failed} left out",
        file=sys.stderr,
    )
    return 65 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
