#!/usr/bin/env python3
"""Compares exported graphs, and the NumPy lines of the documentation, with `limbeck posteriors`:

    check.py LIMBECK ASTERISK DEPLOY

ASTERISK is an experiment of recipes/asterisk, DEPLOY has what test.sh made: two experiments, and
student.onnx, a graph from audio. Prints a line for each comparison; the exit status is 1 if a
posterior differs by more than 1e-5 from features or 1e-3 from audio.
"""
import contextlib
import io
import json
import pathlib
import re
import subprocess
import sys
import wave

import kaldiio
import numpy
import onnx
import onnxruntime
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

FROM_FEATURES, FROM_AUDIO = 1e-5, 1e-3
limbeck, asterisk, deploy = map(pathlib.Path, sys.argv[1:])
failures = []


def run(*arguments):
    subprocess.run([limbeck, *arguments], check=True, stderr=subprocess.PIPE)


def read(archive):
    return {key: value for key, value in kaldiio.load_ark(str(archive))}


def posteriors(model, source):
    """limbeck's posteriors of each utterance: the reference."""
    archive = deploy / "reference.ark"
    run("posteriors", model, source, f"ark:{archive}")
    return {key: numpy.exp(value) for key, value in read(archive).items()}


def session(models, source):
    """The checked graph of models, and a function from its input to posteriors."""
    path = deploy / "model.onnx"
    run("export", *models, path, "--from", source)
    onnx.checker.check_model(str(path), full_check=True)
    runtime = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    [given] = runtime.get_inputs()
    return runtime, lambda batch: numpy.exp(
        runtime.run(["logPosteriors"], {given.name: batch.astype(numpy.float32)})[0])


def samples(path):
    with wave.open(path) as file:
        return numpy.frombuffer(file.readframes(file.getnframes()), "<i2") / 32768


def recordings():
    lines = (asterisk / "data/test/wav.scp").read_text().splitlines()
    return {key: samples(path) for key, path in (line.split(maxsplit=1) for line in lines)}


def report(name, bound, found, expected):
    """Compares posteriors by utterance."""
    if found.keys() != expected.keys() or not expected:
        failures.append(f"{name}: expected {len(expected)} utterances, found {len(found)}")
        return
    largest = 0.0
    for key, wanted in expected.items():
        if found[key].shape != wanted.shape:
            failures.append(f"{name}: {key}: expected {wanted.shape}, found {found[key].shape}")
            return
        largest = max(largest, float(abs(found[key] - wanted).max(initial=0)))
    frames = sum(len(wanted) for wanted in expected.values())
    print(f"{name}: {len(expected)} utterances, {frames} frames, largest difference {largest:.1e}")
    if not largest <= bound:
        failures.append(f"{name}: expected a difference of at most {bound}, found {largest}")


def check(name, models, experiment, features=None):
    """Both graphs of a model, or of the mean of several."""
    features = features or experiment / "features/test"
    members = [posteriors(model, features) for model in models]
    expected = {key: numpy.mean([own[key] for own in members], axis=0) for key in members[0]}
    archive = read(features / "feats.ark")
    runtime, infer = session(models, "features")
    report(f"{name} from features", FROM_FEATURES,
           {key: infer(value[numpy.newaxis])[0] for key, value in archive.items()}, expected)

    # A batch of two, one frame, and none.
    first, second = list(archive.values())[:2]
    count = min(len(first), len(second))
    pair = infer(numpy.stack([first[:count], second[:count]]))
    alone = [infer(own[numpy.newaxis, :count])[0] for own in (first, second)]
    report(f"{name}, two at once", 1e-6, dict(enumerate(pair)), dict(enumerate(alone)))
    for frames in (0, 1):
        shape = infer(first[numpy.newaxis, :frames]).shape
        if shape != (1, frames, pair.shape[2]):
            failures.append(f"{name}: {frames} frames give {shape}")
    metadata = runtime.get_modelmeta().custom_metadata_map
    if len(json.loads(metadata["classes"])) != pair.shape[2]:
        failures.append(f"{name}: classes for {pair.shape[2]} columns")

    check_audio(name, models, expected)
    return archive, expected


def check_audio(name, models, expected):
    runtime, infer = session(models, "audio")
    report(f"{name} from audio", FROM_AUDIO,
           {key: infer(value[numpy.newaxis])[0] for key, value in recordings().items()},
           expected)
    for count in (0, 1):
        shape = infer(numpy.zeros((1, count))).shape
        if shape[1] != 0:
            failures.append(f"{name}: {count} samples give {shape}")


def documented(word, **names):
    """The names and the output of the lines with a word that the page on deployment shows."""
    page = pathlib.Path(__file__).parents[2] / "Sources/LimbeckCLI/Documentation.docc/Deployment.md"
    blocks = re.findall(r"```python\n(.*?)```", page.read_text(), re.DOTALL)
    [code] = [block for block in blocks if word in block]
    output = io.StringIO()
    with contextlib.chdir(deploy), contextlib.redirect_stdout(output):
        exec(code, names)
    return names, output.getvalue()


def check_lines(model):
    """The lines that run `student.onnx`, a graph from audio, against limbeck's most probable classes."""
    [(key, values), *_] = recordings().items()
    names, printed = documented("InferenceSession", samples=values.astype(numpy.float32))
    best = posteriors(model, asterisk / "data/test")[key].argmax(axis=1)
    if printed != f"{[names['classes'][place] for place in best]}\n":
        failures.append(f"the lines of the page print other classes of {key} than limbeck")


def variants(name, model):
    """The same weights behind features of other options, to run every operation of the graph."""
    with safe_open(model, "numpy") as file:
        metadata = file.metadata()
    for changes in (
        {"rawEnergy": False, "removeDCOffset": False},
        {"rawEnergy": False, "energyFloor": 1e6, "usePower": False},
        {"rawEnergy": True, "window": "hamming", "preEmphasis": 0, "snipEdges": True},
        {"roundToPowerOfTwo": False, "window": "blackman", "frameShift": 7.5},
        {"normalizeVariance": False, "lowFrequency": 100, "highFrequency": -300},
        {"useLog": False, "deltas": 2, "deltaWindow": 1},
    ):
        features = json.dumps(json.loads(metadata["features"]) | changes)
        other = deploy / "variant.safetensors"
        save_file(load_file(model), other, metadata | {"features": features})
        what = ", ".join(f"{key} {value}" for key, value in changes.items())
        check_audio(f"{name}, {what}", [other], posteriors(other, asterisk / "data/test"))


def main():
    models = asterisk / "models"
    numpy_lines = documented("def log_posteriors")[0]["log_posteriors"]
    check_lines(models / "student.safetensors")
    delay = deploy / "time-delay"
    every = deploy / "all-features"
    member = "models/member-00.safetensors"
    for name, paths, experiment in (
        ("student", [models / "student.safetensors"], asterisk),
        ("ensemble", sorted(models.glob("member-??.safetensors")), asterisk),
        ("time-delay", [delay / member], delay),
        ("time-delay on all features", [every / member], every),
    ):
        archive, expected = check(name, paths, experiment)
        if len(paths) == 1:
            report(f"{name} in NumPy", FROM_FEATURES,
                   {key: numpy.exp(numpy_lines(paths[0], value)) for key, value in archive.items()},
                   expected)
    variants("time-delay", every / member)
    for failure in failures:
        print(f"check.py: {failure}", file=sys.stderr)
    sys.exit(1 if failures else 0)


main()
