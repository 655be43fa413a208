#include "matrix_kernels.h"

#include <math.h>
#include <string.h>

#include "processors.h"

// Vectors without alignment requirements.
typedef float float8 __attribute__((vector_size(32), aligned(4)));
typedef float float16 __attribute__((vector_size(64), aligned(4)));
typedef int32_t int16x __attribute__((vector_size(64), aligned(4)));

#define AT(p) (*(float16 *)(p))
#define CONST_AT(p) (*(const float16 *)(p))

// Vectors are passed by address: the convention for passing them by value depends on the processor.
#define SELECT(mask, yes, no) \
  ((float16)(((mask) & (int16x)(yes)) | (~(mask) & (int16x)(no))))

INLINE float sum_of_lanes(const float16 *lanes) {
  float8 w = __builtin_shufflevector(*lanes, *lanes, 0, 1, 2, 3, 4, 5, 6, 7)
      + __builtin_shufflevector(*lanes, *lanes, 8, 9, 10, 11, 12, 13, 14, 15);
  return ((w[0] + w[4]) + (w[2] + w[6])) + ((w[1] + w[5]) + (w[3] + w[7]));
}

// Replaces each lane by its exponential.
//
// The polynomial is that of S. Moshier, Cephes Mathematical Library, single/expf.c.
INLINE void exponential(float16 *lanes) {
  float16 x = *lanes, zero = {0};
  int16x below = x < -87.0f, above = x > 88.0f, unordered = x != x;
  float16 clamped = SELECT(below | above | unordered, zero, x);
  // Rounded to an integer by adding 1.5 * 2^23.
  float16 whole = clamped * 1.44269504088896341f + 12582912.0f - 12582912.0f;
  float16 r = clamped - whole * 0.693359375f;
  r = r - whole * -2.12194440e-4f;
  float16 sum = r * 1.9875691500e-4f + 1.3981999507e-3f;
  sum = sum * r + 8.3334519073e-3f;
  sum = sum * r + 4.1665795894e-2f;
  sum = sum * r + 1.6666665459e-1f;
  sum = sum * r + 5.0000001201e-1f;
  sum = sum * (r * r) + r + 1.0f;
  int16x exponent = __builtin_convertvector(whole, int16x) + 127;
  float16 result = sum * (float16)(exponent << 23);
  result = SELECT(below, zero, result);
  result = SELECT(above, zero + INFINITY, result);
  *lanes = SELECT(unordered, x, result);
}

FOR_EACH_PROCESSOR
float matrix_maximum(const float *values, int64_t count) {
  float largest = values[0];
  int64_t n = 0;
  if (count >= 16) {
    float16 best = CONST_AT(values);
    int16x unordered = best != best;
    for (n = 16; n + 16 <= count; n += 16) {
      float16 next = CONST_AT(values + n);
      best = SELECT(next > best, next, best);
      unordered |= next != next;
    }
    largest = best[0];
    for (int lane = 0; lane < 16; lane++) {
      if (unordered[lane]) return NAN;
      if (best[lane] > largest) largest = best[lane];
    }
  }
  for (; n < count; n++) {
    if (values[n] != values[n]) return NAN;
    if (values[n] > largest) largest = values[n];
  }
  return largest;
}

FOR_EACH_PROCESSOR
float matrix_exponentials(float *values, int64_t count, float shift, float factor) {
  float16 sums = {0};
  int64_t n = 0;
  for (; n + 16 <= count; n += 16) {
    float16 power = (AT(values + n) - shift) * factor;
    exponential(&power);
    AT(values + n) = power;
    sums += power;
  }
  if (n < count) {
    float16 rest = {0};
    memcpy(&rest, values + n, (count - n) * sizeof(float));
    rest = (rest - shift) * factor;
    exponential(&rest);
    memcpy(values + n, &rest, (count - n) * sizeof(float));
    for (int lane = 0; n + lane < count; lane++) sums[lane] += rest[lane];
  }
  return sum_of_lanes(&sums);
}

FOR_EACH_PROCESSOR
float matrix_sum(const float *values, int64_t count) {
  float16 sums = {0};
  int64_t n = 0;
  for (; n + 16 <= count; n += 16) sums += CONST_AT(values + n);
  float sum = sum_of_lanes(&sums);
  for (; n < count; n++) sum += values[n];
  return sum;
}

FOR_EACH_PROCESSOR
float matrix_dot(const float *a, const float *b, int64_t count) {
  float16 sums = {0};
  int64_t n = 0;
  for (; n + 16 <= count; n += 16) sums += CONST_AT(a + n) * CONST_AT(b + n);
  float sum = sum_of_lanes(&sums);
  for (; n < count; n++) sum += a[n] * b[n];
  return sum;
}

FOR_EACH_PROCESSOR
void matrix_scale(float *values, int64_t count, float factor, float added) {
  for (int64_t n = 0; n < count; n++) values[n] = values[n] * factor + added;
}

FOR_EACH_PROCESSOR
void matrix_combine(
    float *values, const float *others, int64_t count, float factor, float other_factor) {
  for (int64_t n = 0; n < count; n++) values[n] = values[n] * factor + others[n] * other_factor;
}

FOR_EACH_PROCESSOR
void matrix_standardise(
    float *values, const float *mean, const float *scale, int64_t count) {
  for (int64_t n = 0; n < count; n++) values[n] = (values[n] - mean[n]) * scale[n];
}

FOR_EACH_PROCESSOR
void matrix_add_bias(
    float *tile, int64_t rows, int64_t columns, int64_t stride, const float *bias) {
  for (int64_t row = 0; row < rows; row++, tile += stride) {
    for (int64_t n = 0; n < columns; n++) tile[n] += bias[n];
  }
}

FOR_EACH_PROCESSOR
void matrix_add_bias_rectify(
    float *tile, int64_t rows, int64_t columns, int64_t stride, const float *bias) {
  for (int64_t row = 0; row < rows; row++, tile += stride) {
    for (int64_t n = 0; n < columns; n++) {
      float value = tile[n] + bias[n];
      // NaN stays NaN, so that it is detected later.
      tile[n] = value < 0 ? 0 : value;
    }
  }
}

FOR_EACH_PROCESSOR
void matrix_mask(
    float *tile, const float *outputs, int64_t rows, int64_t columns, int64_t stride, float scale) {
  for (int64_t row = 0; row < rows; row++, tile += stride, outputs += stride) {
    for (int64_t n = 0; n < columns; n++) tile[n] = outputs[n] > 0 ? tile[n] * scale : 0;
  }
}

FOR_EACH_PROCESSOR
void matrix_column_sums(
    const float *tile, int64_t rows, int64_t columns, int64_t stride, float *sums) {
  memset(sums, 0, columns * sizeof(float));
  for (int64_t row = 0; row < rows; row++, tile += stride) {
    for (int64_t n = 0; n < columns; n++) sums[n] += tile[n];
  }
}

FOR_EACH_PROCESSOR
void matrix_drop(float *row, int64_t columns, uint64_t state, uint32_t threshold, float scale) {
  for (int64_t n = 0; n < columns; n += 32) {
    uint64_t words[8];
    for (int k = 0; k < 8; k++) {
      uint64_t mixed = state + (uint64_t)(k + 1) * 0x9E3779B97F4A7C15u;
      mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9u;
      mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EBu;
      words[k] = mixed ^ (mixed >> 31);
    }
    state += 8 * 0x9E3779B97F4A7C15u;
    uint16_t draws[32];
    memcpy(draws, words, sizeof draws);
    float factors[32];
    for (int k = 0; k < 32; k++) factors[k] = draws[k] < threshold ? 0 : scale;
    int64_t present = columns - n < 32 ? columns - n : 32;
    for (int64_t k = 0; k < present; k++) row[n + k] *= factors[k];
  }
}

FOR_EACH_PROCESSOR
void matrix_normalise(
    float *tile, float *normalised, int64_t rows, int64_t columns, int64_t stride,
    const float *gamma, const float *beta, float epsilon, float *mean, float *inverse) {
  memset(mean, 0, columns * sizeof(float));
  memset(inverse, 0, columns * sizeof(float));
  for (int64_t row = 0; row < rows; row++) {
    for (int64_t n = 0; n < columns; n++) mean[n] += tile[row * stride + n];
  }
  for (int64_t n = 0; n < columns; n++) mean[n] /= rows;
  for (int64_t row = 0; row < rows; row++) {
    for (int64_t n = 0; n < columns; n++) {
      float difference = tile[row * stride + n] - mean[n];
      inverse[n] += difference * difference;
    }
  }
  for (int64_t n = 0; n < columns; n++) inverse[n] = 1 / sqrtf(inverse[n] / rows + epsilon);
  for (int64_t row = 0; row < rows; row++) {
    float *values = tile + row * stride, *kept = normalised + row * stride;
    for (int64_t n = 0; n < columns; n++) {
      float x = (values[n] - mean[n]) * inverse[n];
      kept[n] = x;
      float value = gamma[n] * x + beta[n];
      values[n] = value < 0 ? 0 : value;
    }
  }
}

FOR_EACH_PROCESSOR
void matrix_normalise_back(
    float *tile, const float *normalised, int64_t rows, int64_t columns, int64_t stride,
    const float *gamma, const float *inverse, float *gamma_gradient, float *beta_gradient) {
  memset(gamma_gradient, 0, columns * sizeof(float));
  memset(beta_gradient, 0, columns * sizeof(float));
  for (int64_t row = 0; row < rows; row++) {
    const float *g = tile + row * stride, *x = normalised + row * stride;
    for (int64_t n = 0; n < columns; n++) {
      gamma_gradient[n] += g[n] * x[n];
      beta_gradient[n] += g[n];
    }
  }
  for (int64_t row = 0; row < rows; row++) {
    float *g = tile + row * stride;
    const float *x = normalised + row * stride;
    for (int64_t n = 0; n < columns; n++) {
      g[n] = gamma[n] * inverse[n]
          * (g[n] - (beta_gradient[n] + x[n] * gamma_gradient[n]) / rows);
    }
  }
}

FOR_EACH_PROCESSOR
void matrix_momentum_step(
    float *p, float *v, const float *g, int64_t count, float rate, float momentum, float decay,
    int32_t nesterov) {
  if (nesterov) {
    for (int64_t n = 0; n < count; n++) {
      float own = rate * (g[n] + decay * p[n]);
      float step = momentum * v[n] - own;
      v[n] = step;
      p[n] += momentum * step - own;
    }
  } else {
    for (int64_t n = 0; n < count; n++) {
      float step = momentum * v[n] - rate * (g[n] + decay * p[n]);
      v[n] = step;
      p[n] += step;
    }
  }
}

// One step of Adam for a value or a vector of values; ROOT is the square root.
#define ADAM_STEP(p, m, v, g, ROOT) \
  do { \
    __auto_type gradient = (g) + c.decay * (p); \
    (m) = c.beta1 * (m) + (1 - c.beta1) * gradient; \
    (v) = c.beta2 * (v) + (1 - c.beta2) * gradient * gradient; \
    (p) = c.shrinking * (p) - c.rate * (m) / (ROOT(v) * c.correction + c.epsilon); \
  } while (0)

FOR_EACH_PROCESSOR
void matrix_adam_step(
    float *p, float *m, float *v, const float *g, int64_t count, matrix_adam_constants c) {
  int64_t n = 0;
  for (; n + 16 <= count; n += 16) {
    ADAM_STEP(AT(p + n), AT(m + n), AT(v + n), CONST_AT(g + n), __builtin_elementwise_sqrt);
  }
  for (; n < count; n++) ADAM_STEP(p[n], m[n], v[n], g[n], sqrtf);
}

int32_t matrix_processor_level(void) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq")
      && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl"))
    return 2;
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return 1;
#endif
  return 0;
}

int32_t matrix_processor_is_amd(void) {
#if defined(__x86_64__)
  return __builtin_cpu_is("amd") != 0;
#else
  return 0;
#endif
}
