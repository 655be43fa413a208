/// The inner loops of log-mel frames.
///
/// They are compiled for several generations of x86, and the version is selected when the program
/// starts.
///
/// All versions compute in the same order and never fuse a multiplication with an addition, so a
/// frame has the same bits on every processor. `FrameKernels` in Features is the Swift interface,
/// and its tests compare each function with its definition.
#ifndef FRAME_KERNELS_H
#define FRAME_KERNELS_H

#include <stdint.h>

/// The sum of `count` values.
float frame_sum(const float *_Nonnull values, int64_t count);

/// The sum of the squared differences of `count` values from `mean`.
float frame_squares(const float *_Nonnull values, int64_t count, float mean);

/// `frame[n] = ((x[n] - mean) - share * (x[n-1] - mean)) * window[n]`, where `x[-1]` is `x[0]`;
/// in double precision, rounded once.
void frame_emphasise(
    const float *_Nonnull x, int64_t count, float mean, float share, const float *_Nonnull window,
    float *_Nonnull frame);

/// Converts `count` values to double precision.
void frame_widen(const float *_Nonnull values, int64_t count, double *_Nonnull wide);

/// The squared magnitudes of `count` complex numbers, each two doubles.
void frame_power(const double *_Nonnull spectrum, int64_t count, float *_Nonnull power);

/// The power spectrum of 2n real samples, from the transform Z of the n complex numbers whose real
/// parts are the even samples and whose imaginary parts are the odd ones.
///
/// With E[k] = (Z[k] + Z*[n-k]) / 2 and O[k] = -i (Z[k] - Z*[n-k]) / 2, the spectrum is
/// X[k] = E[k] + exp(-2πik / 2n) O[k], and X*[n-k] = E[k] - exp(-2πik / 2n) O[k].
///
/// It is computed in double precision, so that it adds nothing to the rounding of the transform.
///
/// - `z`: n complex numbers, each two values.
/// - `cosines`, `sines`: of 2πk / 2n, for k from 0 to n / 2.
/// - `power`: receives n + 1 values.
void frame_power_of_halves(
    const float *_Nonnull z, const double *_Nonnull cosines, const double *_Nonnull sines, int64_t n,
    float *_Nonnull power);

/// Writes the energy of each band b of `frames` spectra: the sum of
/// `spectrum[first[b] + n] * weights[start[b] + n]` over all n from 0 to below
/// `start[b + 1] - start[b]`, which is a multiple of 8.
///
/// The strides are the distances from one frame to the next, in values.
void frame_bands(
    const float *_Nonnull spectrum, int64_t frames, int64_t spectrum_stride,
    const float *_Nonnull weights, const int32_t *_Nonnull first, const int32_t *_Nonnull start,
    int64_t bands, float *_Nonnull energies, int64_t energies_stride);

/// Replaces `count` values by their natural logarithms.
///
/// Values below the epsilon of single precision count as the epsilon; positive infinity and NaN are
/// not changed. The polynomial is that of S. Moshier, Cephes Mathematical Library, `single/logf.c`.
void frame_logarithms(float *_Nonnull values, int64_t count);

#endif
