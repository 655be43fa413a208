"""Makes archives as kaldiio and kaldi-native-io, Kaldi's own code, write them.

    pip install kaldiio==2.18.1 kaldi-native-io==1.23.0 numpy==2.4.6
    python make_golden.py
"""

import kaldi_native_io as kaldi
import kaldiio
import numpy as np

matrices = {
    "first": np.arange(6, dtype=np.float32).reshape(2, 3) / 4 - 0.5,
    "second": np.array([[1e-20, -3.5]], dtype=np.float32),
}
doubles = {key: value.astype(np.float64) / 3 for key, value in matrices.items()}
vectors = {"first": np.array([0.5, -1e10], dtype=np.float32), "second": np.zeros(0, np.float32)}
integers = {"first": np.array([3, -1, 70000], dtype=np.int32), "second": np.array([7], np.int32)}
posteriors = {"first": [[(4, 0.25), (2, 0.75)], [], [(70000, 1.0)]], "second": [[(0, 0.5)], [(1, 1.0)]]}

kaldiio.save_ark("matrices.ark", matrices)
kaldiio.save_ark("double-matrices.ark", doubles)
kaldiio.save_ark("vectors.ark", {"first": vectors["first"]})
kaldiio.save_ark("double-vectors.ark", {"first": vectors["first"].astype(np.float64) / 3})
kaldiio.save_ark("integers.ark", integers)
kaldiio.save_ark("kaldiio-integers.txt", integers, text=True)
kaldiio.save_ark("kaldiio-matrices.txt", matrices, text=True)


def write(writer, specifier, entries):
    with writer(specifier) as archive:
        for key, value in entries.items():
            archive.write(key, value)


write(kaldi.FloatMatrixWriter, "ark,t:matrices.txt", matrices)
write(kaldi.FloatVectorWriter, "ark,t:vectors.txt", vectors)
write(kaldi.Int32VectorWriter, "ark,t:integers.txt", {k: v.tolist() for k, v in integers.items()})
write(kaldi.PosteriorWriter, "ark:posteriors.ark", posteriors)
write(kaldi.PosteriorWriter, "ark,t:posteriors.txt", posteriors)

# Values without a pattern that any tool generates alike; the smallest shapes; a constant.
waves = np.sin(np.arange(60, dtype=np.float64) ** 2).astype(np.float32).reshape(20, 3)
compressed = {
    "many": waves, "four": waves[:4], "one": waves[:1, :1], "constant": np.full((9, 2), 3, np.float32)
}
kaldiio.save_ark("waves.ark", compressed)
for name, method in (
    ("cm", kaldi.CompressionMethod.kSpeechFeature),
    ("cm2", kaldi.CompressionMethod.kTwoByteAuto),
    ("cm3", kaldi.CompressionMethod.kOneByteAuto),
):
    with kaldi.CompressedMatrixWriter(f"ark:{name}.ark") as archive:
        for key, value in compressed.items():
            archive.write(key, value, method)
    with kaldi.SequentialFloatMatrixReader(f"ark:{name}.ark") as reader:
        kaldiio.save_ark(f"{name}-read.ark", {key: np.array(value) for key, value in reader})
