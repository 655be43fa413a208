#include "reduced_kernels.h"

#include <string.h>

#include "processors.h"

// No fused multiply-adds: every processor computes the same bits.
#pragma STDC FP_CONTRACT OFF

// Adding this rounds a float below 2^22 in magnitude to an integer, ties to even.
#define ROUNDER 12582912.0f

// MARK: - 8 bits

FOR_EACH_PROCESSOR
void matrix_quantize(
    const float *tile, int64_t rows, int64_t columns, int64_t stride, float inverse, int32_t zero,
    uint8_t *bytes, int64_t bytes_stride) {
  const float low = (float)-zero, high = (float)(255 - zero);
  for (int64_t row = 0; row < rows; row++, tile += stride, bytes += bytes_stride) {
    for (int64_t n = 0; n < columns; n++) {
      float value = tile[n] * inverse;
      // NaN becomes the smallest value.
      value = value > low ? value : low;
      value = value < high ? value : high;
      float rounded = value + ROUNDER;
      int32_t bits;
      memcpy(&bits, &rounded, sizeof bits);
      bytes[n] = (uint8_t)(bits - 0x4B400000 + zero);
    }
  }
}

#define DEQUANTIZE(VALUE) \
  for (int64_t row = 0; row < rows; row++, sums += columns, tile += stride) { \
    for (int64_t n = 0; n < columns; n++) { \
      float value = (float)(sums[n] - zero_sums[n]) * scale[n] + bias[n]; \
      tile[n] = (VALUE); \
    } \
  }

FOR_EACH_PROCESSOR
void matrix_dequantize(
    const int32_t *sums, const int32_t *zero_sums, const float *scale, const float *bias,
    float *tile, int64_t rows, int64_t columns, int64_t stride) {
  DEQUANTIZE(value)
}

FOR_EACH_PROCESSOR
void matrix_dequantize_rectify(
    const int32_t *sums, const int32_t *zero_sums, const float *scale, const float *bias,
    float *tile, int64_t rows, int64_t columns, int64_t stride) {
  DEQUANTIZE(value < 0 ? 0 : value)
}

FOR_EACH_PROCESSOR
void matrix_byte_product(
    const uint8_t *left, const int8_t *right, int32_t *sums, int64_t rows, int64_t columns,
    int64_t inner) {
  int64_t row = 0;
  // Four rows at a time, so that a row of `right` is loaded and widened once for all four.
  for (; row + 4 <= rows; row += 4) {
    const uint8_t *a = left + row * inner, *b = a + inner, *c = b + inner, *d = c + inner;
    for (int64_t column = 0; column < columns; column++) {
      const int8_t *weights = right + column * inner;
      int32_t p = 0, q = 0, r = 0, s = 0;
      for (int64_t n = 0; n < inner; n++) {
        int32_t weight = weights[n];
        p += a[n] * weight;
        q += b[n] * weight;
        r += c[n] * weight;
        s += d[n] * weight;
      }
      int32_t *own = sums + row * columns + column;
      own[0] = p;
      own[columns] = q;
      own[2 * columns] = r;
      own[3 * columns] = s;
    }
  }
  for (; row < rows; row++) {
    const uint8_t *a = left + row * inner;
    for (int64_t column = 0; column < columns; column++) {
      const int8_t *weights = right + column * inner;
      int32_t sum = 0;
      for (int64_t n = 0; n < inner; n++) sum += a[n] * weights[n];
      sums[row * columns + column] = sum;
    }
  }
}

// MARK: - bfloat16

// The bits of a float32 after rounding to its upper 16 bits, ties to even; NaN stays NaN.
INLINE uint32_t rounded_bits(float value) {
  uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  uint32_t rounded = bits + 0x7FFF + ((bits >> 16) & 1);
  return (value != value ? bits | 0x00400000 : rounded) & 0xFFFF0000;
}

FOR_EACH_PROCESSOR
void matrix_round_bfloat16(float *tile, int64_t rows, int64_t columns, int64_t stride) {
  for (int64_t row = 0; row < rows; row++, tile += stride) {
    for (int64_t n = 0; n < columns; n++) {
      uint32_t bits = rounded_bits(tile[n]);
      memcpy(tile + n, &bits, sizeof bits);
    }
  }
}

FOR_EACH_PROCESSOR
void matrix_to_bfloat16(
    const float *tile, int64_t rows, int64_t columns, int64_t stride, uint16_t *values,
    int64_t values_stride) {
  for (int64_t row = 0; row < rows; row++, tile += stride, values += values_stride) {
    for (int64_t n = 0; n < columns; n++) values[n] = (uint16_t)(rounded_bits(tile[n]) >> 16);
  }
}
