// For the kernels' source files alone.
#ifndef PROCESSORS_H
#define PROCESSORS_H

// Compiles a function for several generations of x86.
#if defined(__x86_64__)
#define FOR_EACH_PROCESSOR \
  __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EACH_PROCESSOR
#endif
#define INLINE static inline __attribute__((always_inline))

#endif
