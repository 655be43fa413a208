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
typedef float float32x __attribute__((vector_size(128), aligned(4)));

#define WIDE(v) __builtin_convertvector(v, double16)
#define NARROW(v) __builtin_convertvector(v, float16)

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
  // x[n] - mean - share * (x[n - 1] - mean), with the constant parts together.
  double factor = share, offset = mean - factor * mean;
  frame[0] = (float)((x[0] - offset - factor * x[0]) * window[0]);
  int64_t n = 1;
  for (; n + 8 <= count; n += 8) {
    double8 own = __builtin_convertvector(*(const float8 *)(x + n), double8);
    double8 previous = __builtin_convertvector(*(const float8 *)(x + n - 1), double8);
    double8 weights = __builtin_convertvector(*(const float8 *)(window + n), double8);
    double8 values = (own - offset - factor * previous) * weights;
    *(float8 *)(frame + n) = __builtin_convertvector(values, float8);
  }
  for (; n < count; n++) {
    frame[n] = (float)((x[n] - offset - factor * x[n - 1]) * window[n]);
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

// Every second value of 32, upwards from `first` or downwards to it.
#define UPWARDS(v, first)                                                                        \
  __builtin_shufflevector(                                                                       \
      v, v, first, first + 2, first + 4, first + 6, first + 8, first + 10, first + 12,           \
      first + 14, first + 16, first + 18, first + 20, first + 22, first + 24, first + 26,        \
      first + 28, first + 30)
#define DOWNWARDS(v, first)                                                                      \
  __builtin_shufflevector(                                                                       \
      v, v, first + 30, first + 28, first + 26, first + 24, first + 22, first + 20, first + 18,  \
      first + 16, first + 14, first + 12, first + 10, first + 8, first + 6, first + 4,           \
      first + 2, first)
#define REVERSED(v) \
  __builtin_shufflevector(v, v, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0)

// The power of frequencies k and n - k, from Z[k] = a + ib and Z[n - k] = c + id. Each of the two is
// the sum or the difference of the transform of the even samples and the turned one of the odd.
#define PAIR_POWER(a, b, c, d, cosine, sine, low, high)                                          \
  do {                                                                                           \
    even_re = (a + c) * 0.5, even_im = (b - d) * 0.5;                                            \
    odd_re = (b + d) * 0.5, odd_im = (c - a) * 0.5;                                              \
    turned_re = cosine * odd_re + sine * odd_im;                                                 \
    turned_im = cosine * odd_im - sine * odd_re;                                                 \
    re = even_re + turned_re, im = even_im + turned_im;                                          \
    low = re * re + im * im;                                                                     \
    re = even_re - turned_re, im = even_im - turned_im;                                          \
    high = re * re + im * im;                                                                    \
  } while (0)

FOR_EACH_PROCESSOR
void frame_power_of_halves(
    const float *z, const double *cosines, const double *sines, int64_t n, float *power) {
  power[0] = (z[0] + z[1]) * (z[0] + z[1]);
  power[n] = (z[0] - z[1]) * (z[0] - z[1]);
  // The middle is its own partner.
  int64_t last = n / 2, k = 1;
  while (k + 15 <= last) {
    float32x lower = *(const float32x *)(z + 2 * k);
    float32x upper = *(const float32x *)(z + 2 * (n - k - 15));
    double16 a = WIDE(UPWARDS(lower, 0)), b = WIDE(UPWARDS(lower, 1));
    double16 c = WIDE(DOWNWARDS(upper, 0)), d = WIDE(DOWNWARDS(upper, 1));
    double16 cosine = *(const double16 *)(cosines + k), sine = *(const double16 *)(sines + k);
    double16 even_re, even_im, odd_re, odd_im, turned_re, turned_im, re, im, low, high;
    PAIR_POWER(a, b, c, d, cosine, sine, low, high);
    *(float16 *)(power + k) = NARROW(low);
    float16 highs = NARROW(high);
    *(float16 *)(power + n - k - 15) = REVERSED(highs);
    // The last block overlaps the one before, and writes the same values again.
    if (k + 15 == last) return;
    k = k + 31 <= last ? k + 16 : last - 15;
  }
  for (; k <= last; k++) {
    double a = z[2 * k], b = z[2 * k + 1], c = z[2 * (n - k)], d = z[2 * (n - k) + 1];
    double even_re, even_im, odd_re, odd_im, turned_re, turned_im, re, im, low, high;
    PAIR_POWER(a, b, c, d, cosines[k], sines[k], low, high);
    power[n - k] = (float)high;
    power[k] = (float)low;
  }
}

// The sums of eight vectors, each in the order of SUM8.
#define SUMS_OF_8(v, sums)                                                                       \
  do {                                                                                           \
    float8 fours[4], twos[2];                                                                    \
    for (int pair = 0; pair < 4; pair++) {                                                       \
      float8 a = v[2 * pair], b = v[2 * pair + 1];                                               \
      fours[pair] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 8, 9, 10, 11)                      \
          + __builtin_shufflevector(a, b, 4, 5, 6, 7, 12, 13, 14, 15);                           \
    }                                                                                            \
    for (int pair = 0; pair < 2; pair++) {                                                       \
      float8 a = fours[2 * pair], b = fours[2 * pair + 1];                                       \
      twos[pair] = __builtin_shufflevector(a, b, 0, 1, 4, 5, 8, 9, 12, 13)                       \
          + __builtin_shufflevector(a, b, 2, 3, 6, 7, 10, 11, 14, 15);                           \
    }                                                                                            \
    sums = __builtin_shufflevector(twos[0], twos[1], 0, 2, 4, 6, 8, 10, 12, 14)                  \
        + __builtin_shufflevector(twos[0], twos[1], 1, 3, 5, 7, 9, 11, 13, 15);                  \
  } while (0)

#define BAND_SUMS(band, sums)                                                                    \
  do {                                                                                           \
    const float *weight = weights + start[band], *end = weights + start[(band) + 1];             \
    const float *power = spectrum + first[band];                                                 \
    sums = (float8){0};                                                                          \
    for (; weight < end; weight += 8, power += 8) {                                              \
      sums += *(const float8 *)weight * *(const float8 *)power;                                  \
    }                                                                                            \
  } while (0)

FOR_EACH_PROCESSOR
void frame_bands(
    const float *spectrum, int64_t frames, int64_t spectrum_stride, const float *weights,
    const int32_t *first, const int32_t *start, int64_t bands, float *energies,
    int64_t energies_stride) {
  for (int64_t frame = 0; frame < frames; frame++) {
    int64_t band = 0;
    for (; band + 8 <= bands; band += 8) {
      float8 sums[8], all;
      for (int own = 0; own < 8; own++) BAND_SUMS(band + own, sums[own]);
      SUMS_OF_8(sums, all);
      *(float8 *)(energies + band) = all;
    }
    for (; band < bands; band++) {
      float8 sums;
      BAND_SUMS(band, sums);
      energies[band] = SUM8(sums);
    }
    spectrum += spectrum_stride;
    energies += energies_stride;
  }
}

// Replaces 16 values by their natural logarithms.
static inline __attribute__((always_inline)) void logarithms(float *values) {
  float16 value = *(const float16 *)values;
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
  *(float16 *)values = (float16)((finite & (int16x)result) | (~finite & (int16x)value));
}

FOR_EACH_PROCESSOR
void frame_logarithms(float *values, int64_t count) {
  int64_t n = 0;
  for (; n + 16 <= count; n += 16) logarithms(values + n);
  if (n == count) return;
  float rest[16] = {0};
  memcpy(rest, values + n, (count - n) * sizeof(float));
  logarithms(rest);
  memcpy(values + n, rest, (count - n) * sizeof(float));
}
