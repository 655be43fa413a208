#include <fftw3.h>

/// The version of the library; Swift does not see an array without a length.
static inline const char *limbeck_fftw_version(void) { return fftw_version; }
