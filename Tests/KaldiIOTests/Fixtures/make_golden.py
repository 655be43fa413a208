"""Makes archives as kaldiio writes them.

    pip install kaldiio==2.18.1 numpy==2.4.6
    python make_golden.py
"""

import kaldiio
import numpy as np

matrices = {
    "first": np.arange(6, dtype=np.float32).reshape(2, 3) / 4 - 0.5,
    "second": np.array([[1e-20, -3.5]], dtype=np.float32),
}
vectors = {"first": np.array([3, -1, 70000], dtype=np.int32), "second": np.array([7], np.int32)}
kaldiio.save_ark("matrices.ark", matrices)
kaldiio.save_ark("vectors.ark", vectors)
kaldiio.save_ark("vectors-text.ark", vectors, text=True)
