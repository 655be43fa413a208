"""Makes the golden log-mel figures: what kaldi-native-fbank gives for signals that any language can
generate alike.

    pip install kaldi-native-fbank==1.23.0 kaldiio==2.18.1 numpy==2.4.6 soundfile==0.14.0
    python make_golden.py

The option sets are those of recipes/parity/parity.py. The signals are those of `GoldenSignal` in
LogMelTests, 1,700 samples of 16 bits at 8 and 16 kHz and 2,400 at 48 kHz: noise from a linear
congruential generator on a rising triangle wave, the same times 20 and clipped, a sine sweep, silence;
and at 8 kHz speech: speech.wav has the samples 4000 to 6399 of vm-instructions.wav in Debian's
asterisk-core-sounds-en-wav 1.6.1-1 (Allison Smith, CC BY-SA 3.0).
golden.ark has an entry a set, rate and signal; options.json the options of each.
"""

import json
import math
import sys

import kaldiio
import numpy as np
import soundfile

sys.path.append("../../../recipes/parity")
from parity import DEFAULTS, OPTION_SETS, kaldi


def noise(count):
    state, phase, samples = 1, 0, []
    for n in range(count):
        state = (1103515245 * state + 12345) % 2**31
        phase = (phase + 50 + n) % 65536
        triangle = phase if phase < 32768 else 65535 - phase
        samples.append((state >> 16) % 2001 - 1000 + (triangle - 16384) // 2)
    return samples


def sweep(count):
    return [math.floor(30000 * math.sin(0.02 * n + 0.5 * n * n / count) + 0.5) for n in range(count)]


def clipped(count):
    return [max(-32768, min(32767, 20 * sample)) for sample in noise(count)]


def speech(count):
    return soundfile.read("speech.wav", dtype="int16")[0][:count]


signals = {
    "noise": noise, "sweep": sweep, "clipped": clipped, "speech": speech, "silence": lambda n: [0] * n
}
options, entries = {}, {}
for index, chosen in enumerate(OPTION_SETS.values()):
    for rate in (8000, 16000, 48000):
        name = f"{index}-{rate}"
        options[name] = {**DEFAULTS, **chosen, "sampleRate": rate}
        for kind, generate in signals.items():
            if kind == "speech" and rate != 8000:
                continue
            samples = np.array(generate(2400 if rate == 48000 else 1700), np.float32) / 32768
            entries[f"{name}-{kind}"] = kaldi(samples.astype(np.float32), options[name])
kaldiio.save_ark("golden.ark", entries)
with open("options.json", "w") as file:
    json.dump(options, file, indent=1)
