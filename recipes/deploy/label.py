#!/usr/bin/env python3
"""Labels a WAV file with a graph that `limbeck export --from audio` wrote:

    label.py MODEL.onnx WAV

Prints a line `START END PHONE`, in seconds, for each run of frames whose most probable class is a
state of the same phone. Needs numpy and onnxruntime.
"""
import itertools
import json
import sys
import wave

import numpy
import onnxruntime


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    session = onnxruntime.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
    metadata = session.get_modelmeta().custom_metadata_map
    if metadata.get("formatVersion") != "1" or metadata["input"] != "audio":
        sys.exit(f"{sys.argv[1]}: expected a graph from audio of format version 1")
    with wave.open(sys.argv[2]) as file:
        found = (file.getnchannels(), file.getsampwidth(), file.getframerate())
        if found != (1, 2, int(metadata["sampleRate"])):
            sys.exit(f"{sys.argv[2]}: expected 16-bit mono at {metadata['sampleRate']} Hz, found {found}")
        samples = numpy.frombuffer(file.readframes(file.getnframes()), "<i2")
    batch = samples.astype(numpy.float32)[numpy.newaxis] / 32768  # full scale is [-1, 1)
    log_posteriors = session.run(["logPosteriors"], {"samples": batch})[0][0]

    # A class is a state of a phone, such as AH_2, or a phone.
    classes = [name.rpartition("_")[0] or name for name in json.loads(metadata["classes"])]
    frames = json.loads(metadata["frames"])
    start = frames["firstCentre"] - frames["shift"] / 2
    for phone, run in itertools.groupby(classes[best] for best in log_posteriors.argmax(axis=1)):
        end = start + frames["shift"] * sum(1 for _ in run)
        print(f"{start:.4f} {end:.4f} {phone}")
        start = end


main()
