// The entry of LLVM's libFuzzer ("Using libFuzzer as a library" in its manual).
#ifndef LIMBECK_LIBFUZZER_H
#define LIMBECK_LIBFUZZER_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerRunDriver(
    int *argc, char ***argv, int (*test)(const uint8_t *data, size_t size));

#endif
