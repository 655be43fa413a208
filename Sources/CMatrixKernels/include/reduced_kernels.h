/// The inner loops of networks in reduced precision: rounding to 8 bits and to bfloat16, and back.
///
/// Tiles are as in `matrix_kernels.h`. Every function gives the same bits on every processor, since
/// integer sums are exact and no multiplication is fused with an addition. `QuantizedRows` and
/// `Tile` in LinearAlgebra are the Swift interface.
#ifndef REDUCED_KERNELS_H
#define REDUCED_KERNELS_H

#include <stdint.h>

// MARK: - 8 bits

/// Rounds `x * inverse + zero` to an integer from 0 to 255, ties to even; NaN becomes 0.
///
/// `zero`, from 0 to 255, is the byte of the value zero. Rows of `bytes` start `bytes_stride` apart.
void matrix_quantize(
    const float *_Nonnull tile, int64_t rows, int64_t columns, int64_t stride, float inverse,
    int32_t zero, uint8_t *_Nonnull bytes, int64_t bytes_stride);

/// `tile = (sums - zero_sums) * scale + bias`, where the last three have one value per column.
///
/// Rows of `sums` are contiguous.
void matrix_dequantize(
    const int32_t *_Nonnull sums, const int32_t *_Nonnull zero_sums, const float *_Nonnull scale,
    const float *_Nonnull bias, float *_Nonnull tile, int64_t rows, int64_t columns,
    int64_t stride);

/// The same, with negative values replaced by zero.
void matrix_dequantize_rectify(
    const int32_t *_Nonnull sums, const int32_t *_Nonnull zero_sums, const float *_Nonnull scale,
    const float *_Nonnull bias, float *_Nonnull tile, int64_t rows, int64_t columns,
    int64_t stride);

/// The product of bytes, [rows × inner], and transposed signed bytes, [columns × inner], as 32-bit
/// integers.
///
/// Exact for `inner` up to 65,793, where 255 · 128 · `inner` is below 2^31.
void matrix_byte_product(
    const uint8_t *_Nonnull left, const int8_t *_Nonnull right, int32_t *_Nonnull sums,
    int64_t rows, int64_t columns, int64_t inner);

// MARK: - bfloat16

/// Rounds each value to bfloat16, the upper 16 bits of float32, ties to even; NaN stays NaN.
void matrix_round_bfloat16(float *_Nonnull tile, int64_t rows, int64_t columns, int64_t stride);

/// Writes the upper 16 bits of each value, rounded as `matrix_round_bfloat16` does.
void matrix_to_bfloat16(
    const float *_Nonnull tile, int64_t rows, int64_t columns, int64_t stride,
    uint16_t *_Nonnull values, int64_t values_stride);

#endif
