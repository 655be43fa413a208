"""Makes a file as Python's safetensors writes it.

    pip install safetensors==0.8.0 numpy==2.4.6
    python make_golden.py
"""

import numpy as np
from safetensors.numpy import save_file

save_file(
    {
        "weight": np.arange(6, dtype=np.float32).reshape(2, 3) / 8,
        "bias": np.array([-1.5, 2.25], dtype=np.float32),
    },
    "python.safetensors",
    metadata={"made": "by Python", "quote": 'a "word"'},
)
