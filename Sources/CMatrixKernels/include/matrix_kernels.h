/// The inner loops of training over rows and columns of matrices.
///
/// They are compiled for several generations of x86, and the version is selected when the program
/// starts.
///
/// A tile is a part of a row-major matrix: `rows` rows of `columns` values, where consecutive rows
/// start `stride` values apart. The order of summation depends only on the shape. `Tile` in
/// LinearAlgebra is the Swift interface, and its tests compare each function with its definition.
#ifndef MATRIX_KERNELS_H
#define MATRIX_KERNELS_H

#include <stdint.h>

// MARK: - Rows of logits

/// The largest of `count` values; NaN when a value is NaN. `count` is at least one.
float matrix_maximum(const float *_Nonnull values, int64_t count);

/// Replaces each value x by `exp((x - shift) * factor)` and returns the sum of the results.
///
/// The exponential is accurate to 2 ulps from -87 to 88, zero below and infinite above.
float matrix_exponentials(float *_Nonnull values, int64_t count, float shift, float factor);

/// The sum of `count` values.
float matrix_sum(const float *_Nonnull values, int64_t count);

/// The dot product of `a` and `b`, `count` values each.
float matrix_dot(const float *_Nonnull a, const float *_Nonnull b, int64_t count);

/// `values[i] = values[i] * factor + added`.
void matrix_scale(float *_Nonnull values, int64_t count, float factor, float added);

/// `values[i] = values[i] * factor + others[i] * other_factor`.
void matrix_combine(
    float *_Nonnull values, const float *_Nonnull others, int64_t count, float factor,
    float other_factor);

/// `values[i] = (values[i] - mean[i]) * scale[i]`.
void matrix_standardise(
    float *_Nonnull values, const float *_Nonnull mean, const float *_Nonnull scale, int64_t count);

// MARK: - Tiles of activations

/// Adds a bias to each row.
void matrix_add_bias(
    float *_Nonnull tile, int64_t rows, int64_t columns, int64_t stride, const float *_Nonnull bias);

/// Adds a bias to each row and replaces negative values by zero.
void matrix_add_bias_rectify(
    float *_Nonnull tile, int64_t rows, int64_t columns, int64_t stride, const float *_Nonnull bias);

/// `tile = outputs > 0 ? tile * scale : 0`.
void matrix_mask(
    float *_Nonnull tile, const float *_Nonnull outputs, int64_t rows, int64_t columns, int64_t stride,
    float scale);

/// Writes the sum of each column to `sums`.
void matrix_column_sums(
    const float *_Nonnull tile, int64_t rows, int64_t columns, int64_t stride, float *_Nonnull sums);

/// Sets the values of a row to zero whose 16 random bits are below `threshold`, and multiplies the
/// others by `scale`. Each step of SplitMix64, starting from `state`, gives the bits of four
/// values.
void matrix_drop(
    float *_Nonnull row, int64_t columns, uint64_t state, uint32_t threshold, float scale);

/// Batch normalisation of each column (Ioffe and Szegedy 2015, algorithm 1), followed by the
/// rectifier.
///
/// The values of `tile`, scaled to mean 0 and variance 1 over the rows, are written to `normalised`
/// as x, and `tile` is replaced by `max(0, gamma * x + beta)`. The mean is written to `mean`, and
/// `1 / sqrt(variance + epsilon)` to `inverse`.
void matrix_normalise(
    float *_Nonnull tile, float *_Nonnull normalised, int64_t rows, int64_t columns, int64_t stride,
    const float *_Nonnull gamma, const float *_Nonnull beta, float epsilon, float *_Nonnull mean,
    float *_Nonnull inverse);

/// The backward pass of batch normalisation.
///
/// `tile` holds the gradient with respect to the output of the normalisation, and is replaced by
/// that with respect to its input. The gradients of gamma and beta are written to `gamma_gradient`
/// and `beta_gradient`.
void matrix_normalise_back(
    float *_Nonnull tile, const float *_Nonnull normalised, int64_t rows, int64_t columns,
    int64_t stride, const float *_Nonnull gamma, const float *_Nonnull inverse,
    float *_Nonnull gamma_gradient, float *_Nonnull beta_gradient);

// MARK: - Optimisers

/// One step of gradient descent with momentum.
///
/// It computes `v = momentum * v - rate * (g + decay * p); p += v`. With Nesterov momentum, the new
/// v gives `p += momentum * v - rate * (g + decay * p)` instead.
void matrix_momentum_step(
    float *_Nonnull p, float *_Nonnull v, const float *_Nonnull g, int64_t count, float rate,
    float momentum, float decay, int32_t nesterov);

/// The constants of one step of Adam.
typedef struct {
  float beta1, beta2, epsilon;
  /// `rate` is the learning rate over `1 - beta1^t`, `correction` is `1 / sqrt(1 - beta2^t)`.
  float rate, correction;
  /// This factor times the parameter is added to the gradient.
  float decay;
  /// The parameter is first multiplied by this: 1, or 1 - rate * decay for AdamW.
  float shrinking;
} matrix_adam_constants;

/// One step of Adam (Kingma and Ba 2015, algorithm 1) or AdamW (Loshchilov and Hutter 2019,
/// algorithm 2).
void matrix_adam_step(
    float *_Nonnull p, float *_Nonnull m, float *_Nonnull v, const float *_Nonnull g, int64_t count,
    matrix_adam_constants constants);

// MARK: - The processor

/// The vector instructions that processor and system support: 2 for AVX-512 (F, DQ, BW and VL), 1
/// for AVX2 and FMA, 0 for less or for another architecture.
int32_t matrix_processor_level(void);

/// 1 for a processor by AMD, 0 for any other.
int32_t matrix_processor_is_amd(void);

#endif
