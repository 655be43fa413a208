"""Compares the features of limbeck with those of kaldi-native-fbank: parity.py LIMBECK FOLDER [LIST]

For each option set and each kind of audio, prints a line with the mean and the largest difference in
log energy: between limbeck and kaldi-native-fbank, and between each of them and the same formulas in
double precision, which shows whose rounding causes a difference.
"""

import json
import os
import subprocess
import sys

import kaldi_native_fbank as knf
import kaldiio
import numpy as np
import soundfile

EPSILON = float(np.finfo(np.float32).eps)
MEAN_BOUND, LARGEST_BOUND = 1e-4, 5e-3

OPTION_SETS = {
    "defaults": {},
    "Kaldi's defaults": {"melBins": 23},
    "hann, 30 bands": {"melBins": 30, "window": "hann"},
    "hamming, narrow": {
        "melBins": 23, "window": "hamming", "lowFrequency": 60, "highFrequency": -400,
        "preEmphasis": 0.9,
    },
    "blackman, DC kept": {"window": "blackman", "blackmanCoefficient": 0.4, "removeDCOffset": False},
    "sine, edges mirrored": {"window": "sine", "snipEdges": False},
    "rectangular, no emphasis": {"melBins": 26, "window": "rectangular", "preEmphasis": 0.0},
    "exact size, mirrored": {
        "melBins": 23, "roundToPowerOfTwo": False, "snipEdges": False, "frameLength": 32.0,
        "frameShift": 8.0,
    },
    "raw energy, magnitude": {
        "useEnergy": True, "energyFloor": 1.0, "usePower": False, "highFrequency": 3800.0,
    },
    "windowed energy, linear": {
        "melBins": 23, "useEnergy": True, "rawEnergy": False, "useLog": False, "preEmphasis": 1.0,
    },
}
DEFAULTS = {
    "sampleRate": 16000, "melBins": 40, "frameLength": 25.0, "frameShift": 10.0, "window": "povey",
    "blackmanCoefficient": 0.42, "preEmphasis": 0.97, "removeDCOffset": True, "snipEdges": True,
    "roundToPowerOfTwo": True, "lowFrequency": 20.0, "highFrequency": 0.0, "useEnergy": False,
    "rawEnergy": True, "energyFloor": 0.0, "useLog": True, "usePower": True,
}


def signals(rate):
    """Two seconds of each kind of synthetic audio, full scale [-1, 1)."""
    generator = np.random.default_rng(3)
    time = np.arange(2 * rate) / rate
    noise = generator.standard_normal(len(time))
    sweep = np.sin(2 * np.pi * (50 * time + (0.475 * rate - 50) / 4 * time**2))
    loud = np.clip(0.3 * noise + 2 * np.sin(2 * np.pi * 200 * time), -1, 32767 / 32768)
    kinds = {"noise": 0.1 * noise, "sine sweep": 0.9 * sweep, "silence": 0 * time, "clipped": loud}
    return {kind: samples.astype(np.float32) for kind, samples in kinds.items()}


def kaldi(samples, options):
    """The features of kaldi-native-fbank."""
    settings = knf.FbankOptions()
    frame, mel = settings.frame_opts, settings.mel_opts
    frame.dither = 0
    frame.samp_freq = options["sampleRate"]
    frame.frame_length_ms = options["frameLength"]
    frame.frame_shift_ms = options["frameShift"]
    frame.window_type = {"hann": "hanning"}.get(options["window"], options["window"])
    frame.blackman_coeff = options["blackmanCoefficient"]
    frame.preemph_coeff = options["preEmphasis"]
    frame.remove_dc_offset = options["removeDCOffset"]
    frame.snip_edges = options["snipEdges"]
    frame.round_to_power_of_two = options["roundToPowerOfTwo"]
    mel.num_bins = options["melBins"]
    mel.low_freq = options["lowFrequency"]
    mel.high_freq = options["highFrequency"]
    settings.use_energy = options["useEnergy"]
    settings.raw_energy = options["rawEnergy"]
    settings.energy_floor = options["energyFloor"]
    settings.use_log_fbank = options["useLog"]
    settings.use_power = options["usePower"]
    bank = knf.OnlineFbank(settings)
    bank.accept_waveform(options["sampleRate"], samples * np.float32(32768))
    bank.input_finished()
    frames = [bank.get_frame(index) for index in range(bank.num_frames_ready)]
    return np.array(frames).reshape(len(frames), -1)


def exact(samples, options):
    """The definition in double precision; only the bands' edges are in single precision, as in Kaldi."""
    rate = options["sampleRate"]
    size = int(rate * 0.001 * options["frameLength"])
    shift = int(rate * 0.001 * options["frameShift"])
    samples = samples.astype(np.float64) * 32768
    if options["snipEdges"]:
        count, first = max(0, (len(samples) - size) // shift + 1), 0
    else:
        count, first = (len(samples) + shift // 2) // shift, shift // 2 - size // 2
    places = first + shift * np.arange(count)[:, None] + np.arange(size)
    places = places % (2 * len(samples))
    frames = samples[np.where(places < len(samples), places, 2 * len(samples) - 1 - places)]
    if options["removeDCOffset"]:
        frames = frames - frames.mean(1, keepdims=True)
    raw = (frames**2).sum(1)
    share = float(np.float32(options["preEmphasis"]))
    frames = frames - share * np.concatenate([frames[:, :1], frames[:, :-1]], 1)
    angle = 2 * np.pi * np.arange(size) / (size - 1)
    constant = options["blackmanCoefficient"]
    frames = frames * {
        "povey": (0.5 - 0.5 * np.cos(angle)) ** 0.85,
        "hann": 0.5 - 0.5 * np.cos(angle),
        "hamming": 0.54 - 0.46 * np.cos(angle),
        "blackman": constant - 0.5 * np.cos(angle) + (0.5 - constant) * np.cos(2 * angle),
        "sine": np.sin(0.5 * angle),
        "rectangular": np.ones(size),
    }[options["window"]]
    energy = raw if options["rawEnergy"] else (frames**2).sum(1)
    points = 1 << (size - 1).bit_length() if options["roundToPowerOfTwo"] else size
    spectrum = np.abs(np.fft.rfft(frames, points)) ** (2 if options["usePower"] else 1)
    bands = spectrum[:, : points // 2] @ filters(options, points)
    if options["useLog"]:
        bands = np.log(np.maximum(bands, EPSILON))
    if not options["useEnergy"]:
        return bands
    energy = np.log(np.maximum(energy, max(EPSILON, options["energyFloor"])))
    return np.concatenate([energy[:, None], bands], 1)


def filters(options, points):
    single = np.float32

    def mel(frequency):
        return single(1127) * np.log(single(1) + single(frequency) / single(700))

    rate, count = options["sampleRate"], options["melBins"]
    high = options["highFrequency"]
    low_mel = mel(options["lowFrequency"])
    step = (mel(high if high > 0 else rate / 2 + high) - low_mel) / single(count + 1)
    at = mel(single(rate / points) * np.arange(points // 2, dtype=single))
    weights = np.zeros((points // 2, count))
    for band in range(count):
        left, centre, right = (low_mel + single(band + n) * step for n in range(3))
        rising, falling = (at - left) / (centre - left), (right - at) / (right - centre)
        inside = (at > left) & (at < right)
        weights[:, band] = np.where(inside, np.where(at <= centre, rising, falling), 0)
    return weights


def in_logs(features, options):
    """The log energies of bands, so that all option sets are compared on one scale."""
    if options["useLog"]:
        return features
    first = 1 if options["useEnergy"] else 0
    bands = np.log(np.maximum(features[:, first:], EPSILON))
    return np.concatenate([features[:, :first], bands], 1)


def extract(limbeck, folder, recordings, options):
    """The features that `limbeck features` computes for recordings, a mapping of ids to paths."""
    os.makedirs(folder, exist_ok=True)
    with open(f"{folder}/wav.scp", "w") as script:
        script.writelines(f"{key} {path}\n" for key, path in recordings.items())
    with open(f"{folder}/options.yaml", "w") as file:
        json.dump(options, file)
    subprocess.run(
        [limbeck, "features", folder, f"{folder}/features", "--config", f"{folder}/options.yaml"],
        check=True, stderr=subprocess.DEVNULL,
    )
    return {key: np.array(value) for key, value in kaldiio.load_scp(f"{folder}/features/feats.scp").items()}


def main():
    limbeck, folder = sys.argv[1:3]
    os.makedirs(f"{folder}/audio", exist_ok=True)
    groups = {}
    for rate in (8000, 16000, 48000):
        for kind, samples in signals(rate).items():
            path = os.path.abspath(f"{folder}/audio/{kind.replace(' ', '-')}-{rate}.wav")
            soundfile.write(path, samples, rate, subtype="FLOAT")
            groups.setdefault((rate, kind), []).append(path)
    if len(sys.argv) > 3:
        for line in open(sys.argv[3]):
            path = line.split()[-1]
            groups.setdefault((soundfile.info(path).samplerate, "files of the list"), []).append(path)
    print(
        f"{'options':26s}{'Hz':>6s} {'audio':18s}{'limbeck - Kaldi':>19s}"
        f"{'limbeck - exact':>19s}{'Kaldi - exact':>19s}   (mean, largest)"
    )
    failed = False
    for name, chosen in OPTION_SETS.items():
        for (rate, kind), paths in groups.items():
            options = {**DEFAULTS, **chosen, "sampleRate": rate}
            recordings = {f"{number:06d}": path for number, path in enumerate(paths)}
            found = extract(limbeck, f"{folder}/run", recordings, options)
            differences = [[], [], []]
            for key, path in recordings.items():
                samples = soundfile.read(path, dtype="float32")[0]
                triple = [
                    in_logs(features, options)
                    for features in (found[key], kaldi(samples, options), exact(samples, options))
                ]
                assert triple[0].shape == triple[1].shape == triple[2].shape, path
                for index, (a, b) in enumerate(((0, 1), (0, 2), (1, 2))):
                    differences[index].append(np.abs(triple[a] - triple[b]).ravel())
            figures = [np.concatenate(values) for values in differences]
            means = [(values.mean(), values.max()) for values in figures]
            over = means[0][0] > MEAN_BOUND or means[0][1] > LARGEST_BOUND
            ours = means[1][0] > means[2][0]
            failed |= over and ours
            print(
                f"{name:26s}{rate:6d} {kind:18s}"
                + "".join(f"{mean:10.1e}{largest:9.1e}" for mean, largest in means)
                + ("   above the bound" if over else "")
                + (" by Kaldi's rounding" if over and not ours else ""),
                flush=True,
            )
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
