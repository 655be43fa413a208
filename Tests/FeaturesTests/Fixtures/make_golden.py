"""Makes the golden log-mel figures: what kaldi-native-fbank gives for a signal that integers generate.

    pip install kaldi-native-fbank==1.23.0 numpy==2.4.6
    python make_golden.py

The signal is that of `generatedSignal` in TestSupport: noise from a linear congruential generator
on a rising triangle wave. Each file has a frame a line.
"""

import kaldi_native_fbank as knf
import numpy as np


def generated_signal(count):
    state, phase, samples = 1, 0, []
    for n in range(count):
        state = (1103515245 * state + 12345) % 2**31
        phase = (phase + 50 + n) % 65536
        triangle = phase if phase < 32768 else 65535 - phase
        samples.append((state >> 16) % 2001 - 1000 + (triangle - 16384) // 2)
    return np.array(samples, dtype=np.float32)


def log_mel(rate, bins, window="povey", low=20, high=0, preemphasis=0.97):
    options = knf.FbankOptions()
    options.frame_opts.samp_freq = rate
    options.frame_opts.dither = 0
    options.frame_opts.window_type = window
    options.frame_opts.preemph_coeff = preemphasis
    options.frame_opts.snip_edges = True
    options.mel_opts.num_bins = bins
    options.mel_opts.low_freq = low
    options.mel_opts.high_freq = high
    options.energy_floor = 0
    bank = knf.OnlineFbank(options)
    bank.accept_waveform(rate, generated_signal(4000).tolist())
    bank.input_finished()
    return np.array([bank.get_frame(i) for i in range(bank.num_frames_ready)])


np.savetxt("default-16k.txt", log_mel(16000, 40), fmt="%.6f")
np.savetxt("default-8k.txt", log_mel(8000, 40), fmt="%.6f")
np.savetxt(
    "hamming-23-bands.txt", log_mel(16000, 23, "hamming", 60, -400, 0.9), fmt="%.6f"
)
