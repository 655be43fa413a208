/// The loops that every log-mel frame goes through, compiled for several generations of x86 and chosen
/// when the program starts.
///
/// All work in the same order on every processor and never contract a product and a sum, so that a
/// frame has the same bits everywhere. `FrameKernels` in Features is their Swift face, and its tests hold
/// each to its definition.
#ifndef FRAME_KERNELS_H
#define FRAME_KERNELS_H

#include <stdint.h>

/// The sum of `count` values.
float frame_sum(const float *_Nonnull values, int64_t count);

/// The sum of the squares of the differences of `count` values from `mean`.
float frame_squares(const float *_Nonnull values, int64_t count, float mean);

/// `frame[n] = ((x[n] - mean) - share * (x[n-1] - mean)) * window[n]`, with `x[0]` for `x[-1]`.
void frame_emphasise(
    const float *_Nonnull x, int64_t count, float mean, float share, const float *_Nonnull window,
    float *_Nonnull frame);

/// Widens `count` values to double precision.
void frame_widen(const float *_Nonnull values, int64_t count, double *_Nonnull wide);

/// The squared magnitudes of `count` complex numbers, each two doubles.
void frame_power(const double *_Nonnull spectrum, int64_t count, float *_Nonnull power);

/// For each band the sum of `spectrum[first[b] + n] * weights[start[b] + n]`, n from 0 to below
/// `start[b + 1] - start[b]`, which is a multiple of 8.
void frame_bands(
    const float *_Nonnull spectrum, const float *_Nonnull weights, const int32_t *_Nonnull first,
    const int32_t *_Nonnull start, int64_t bands, float *_Nonnull energies);

/// Replaces `count` values by their natural logarithms, and one below the epsilon of single precision by
/// that of the epsilon; what is infinite or not a number stays so.
///
/// The polynomial of S. Moshier, Cephes Mathematical Library, `single/logf.c`.
void frame_logarithms(float *_Nonnull values, int64_t count);

#endif
