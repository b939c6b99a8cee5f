/*
 * What comes over the line of a program that denoises a stream. An input is 0 for packets or 1 for
 * raw samples, and the bytes of the line.
 */
#include "fuzz.h"

int denoise_stream(void);

#define main denoise_stream
#include "../../firmware_src/apps/denoise_stream.c"
#undef main

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    fuzz_expect(freopen("/dev/null", "w", stdout) != NULL, "no /dev/null");
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2)
        return 0;
    fuzz_expect(setenv("PN_STREAM", data[0] & 1 ? "raw" : "packets", 1) == 0, "no memory");
    FILE *const line = fmemopen((void *)(uintptr_t)(data + 1), size - 1, "r");
    fuzz_expect(line != NULL, "no memory");
    stdin = line;
    fuzz_expect(denoise_stream() == 0, "the program failed");
    (void)fclose(line);
    return 0;
}
