#include "frame_kernels.h"

#include <float.h>
#include <math.h>
#include <string.h>

#pragma STDC FP_CONTRACT OFF

#if defined(__x86_64__)
#define FOR_EACH_PROCESSOR \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif

// Vectors without alignment requirements.
typedef float float8 __attribute__((vector_size(32), aligned(4)));
typedef float float16 __attribute__((vector_size(64), aligned(4)));
typedef int32_t int16x __attribute__((vector_size(64), aligned(4)));
typedef uint32_t uint16x __attribute__((vector_size(64), aligned(4)));
typedef double double8 __attribute__((vector_size(64), aligned(8)));
typedef double double16 __attribute__((vector_size(128), aligned(8)));

#define SUM8(v) (((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7])))
#define HALVES16(v) \
  (__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7) \
   + __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15))

FOR_EACH_PROCESSOR
float frame_sum(const float *values, int64_t count) {
  float16 sums = {0};
  int64_t n = 0;
  for (; n + 16 <= count; n += 16) sums += *(const float16 *)(values + n);
  float8 half = HALVES16(sums);
  float sum = SUM8(half);
  for (; n < count; n++) sum += values[n];
  return sum;
}

FOR_EACH_PROCESSOR
float frame_squares(const float *values, int64_t count, float mean) {
  float16 sums = {0};
  int64_t n = 0;
  for (; n + 16 <= count; n += 16) {
    float16 difference = *(const float16 *)(values + n) - mean;
    sums += difference * difference;
  }
  float8 half = HALVES16(sums);
  float sum = SUM8(half);
  for (; n < count; n++) sum += (values[n] - mean) * (values[n] - mean);
  return sum;
}

FOR_EACH_PROCESSOR
void frame_emphasise(
    const float *x, int64_t count, float mean, float share, const float *window, float *frame) {
  if (count <= 0) return;
  float first = x[0] - mean;
  frame[0] = (first - share * first) * window[0];
  int64_t n = 1;
  for (; n + 16 <= count; n += 16) {
    float16 own = *(const float16 *)(x + n) - mean;
    float16 previous = *(const float16 *)(x + n - 1) - mean;
    *(float16 *)(frame + n) = (own - share * previous) * *(const float16 *)(window + n);
  }
  for (; n < count; n++) {
    frame[n] = ((x[n] - mean) - share * (x[n - 1] - mean)) * window[n];
  }
}

FOR_EACH_PROCESSOR
void frame_widen(const float *values, int64_t count, double *wide) {
  int64_t n = 0;
  for (; n + 8 <= count; n += 8) {
    *(double8 *)(wide + n) = __builtin_convertvector(*(const float8 *)(values + n), double8);
  }
  for (; n < count; n++) wide[n] = values[n];
}

FOR_EACH_PROCESSOR
void frame_power(const double *spectrum, int64_t count, float *power) {
  int64_t k = 0;
  for (; k + 8 <= count; k += 8) {
    double16 both = *(const double16 *)(spectrum + 2 * k);
    both *= both;
    double8 sums = __builtin_shufflevector(both, both, 0, 2, 4, 6, 8, 10, 12, 14)
        + __builtin_shufflevector(both, both, 1, 3, 5, 7, 9, 11, 13, 15);
    *(float8 *)(power + k) = __builtin_convertvector(sums, float8);
  }
  for (; k < count; k++) {
    double real = spectrum[2 * k], imaginary = spectrum[2 * k + 1];
    power[k] = (float)(real * real + imaginary * imaginary);
  }
}

FOR_EACH_PROCESSOR
void frame_bands(
    const float *spectrum, const float *weights, const int32_t *first, const int32_t *start,
    int64_t bands, float *energies) {
  for (int64_t band = 0; band < bands; band++) {
    const float *weight = weights + start[band], *end = weights + start[band + 1];
    const float *power = spectrum + first[band];
    float8 sums = {0};
    for (; weight < end; weight += 8, power += 8) {
      sums += *(const float8 *)weight * *(const float8 *)power;
    }
    energies[band] = SUM8(sums);
  }
}

FOR_EACH_PROCESSOR
void frame_logarithms(float *values, int64_t count) {
  for (int64_t n = 0; n < count; n += 16) {
    float16 value;
    int64_t present = count - n < 16 ? count - n : 16;
    if (present < 16) {
      memset(&value, 0, sizeof value);
      memcpy(&value, values + n, present * sizeof(float));
    } else {
      value = *(const float16 *)(values + n);
    }
    // The value is m * 2^e, with exponent e and mantissa m in [sqrt 1/2, sqrt 2).
    int16x small = value < FLT_EPSILON;
    float16 epsilon = {0};
    epsilon += FLT_EPSILON;
    uint16x bits = (uint16x)((small & (int16x)epsilon) | (~small & (int16x)value));
    uint16x shifted = bits - 0x3F3504F3u;
    float16 exponent = __builtin_convertvector((int16x)shifted >> 23, float16);
    float16 x = (float16)((shifted & 0x007FFFFFu) + 0x3F3504F3u) - 1.0f;
    float16 square = x * x;
    float16 sum = x * 7.0376836292e-2f - 1.1514610310e-1f;
    sum = sum * x + 1.1676998740e-1f;
    sum = sum * x - 1.2420140846e-1f;
    sum = sum * x + 1.4249322787e-1f;
    sum = sum * x - 1.6668057665e-1f;
    sum = sum * x + 2.0000714765e-1f;
    sum = sum * x - 2.4999993993e-1f;
    sum = sum * x + 3.3333331174e-1f;
    float16 result = sum * x * square;
    result = result - exponent * 2.12194440e-4f;
    result = result - square * 0.5f;
    result = (x + result) + exponent * 0.693359375f;
    int16x finite = value < INFINITY;
    result = (float16)((finite & (int16x)result) | (~finite & (int16x)value));
    memcpy(values + n, &result, present * sizeof(float));
  }
}
