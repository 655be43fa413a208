#include <dnnl.h>

// The OpenMP functions that decide how many threads oneDNN uses in the calling thread. Clang's own
// <omp.h> belongs to another OpenMP library than the one Debian builds oneDNN with.
void omp_set_num_threads(int count);
int omp_get_max_threads(void);
