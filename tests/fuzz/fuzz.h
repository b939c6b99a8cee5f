/* What the fuzz targets share: an input as a row of numbers, and files of seeds that are too big to
 * be inputs. */
#ifndef FUZZ_H
#define FUZZ_H

#define _POSIX_C_SOURCE 200809L

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pn_blob.h"
#include "pn_file.h"
#include "pn_port.h"

#define FUZZ_MAX_BLOB 65536u

/* libFuzzer's side of the interface. */
int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct {
    const uint8_t *at, *end;
} fuzz_input_t;

/* The next `count` bytes, at most 4, as a little endian number; zeros follow the end. */
static inline uint32_t fuzz_number(fuzz_input_t *input, unsigned count) {
    uint32_t value = 0;
    for (unsigned i = 0; i < count && input->at < input->end; i++)
        value |= (uint32_t)*input->at++ << (8 * i);
    return value;
}

/* The next bytes: as many as wanted, or all that are left. */
static inline const uint8_t *fuzz_bytes(fuzz_input_t *input, size_t wanted, size_t *count) {
    const uint8_t *const bytes = input->at;
    const size_t left = (size_t)(input->end - input->at);
    *count = wanted < left ? wanted : left;
    input->at += *count;
    return bytes;
}

/* A claim about the library; libFuzzer keeps the input that breaks it. */
static inline void fuzz_expect(int condition, const char *what) {
    if (!condition) {
        (void)fprintf(stderr, "fuzz: %s\n", what);
        abort();
    }
}

typedef struct {
    size_t size;
    _Alignas(PN_BLOB_ALIGNMENT) uint8_t bytes[FUZZ_MAX_BLOB];
} fuzz_blob_t;

/* Good weights of the built-in network, from the folder PN_BLOBS. */
static inline void fuzz_read_blob(fuzz_blob_t *blob, const char *name) {
    char path[512];
    const char *const folder = pn_port_env("PN_BLOBS");
    fuzz_expect(folder != NULL, "PN_BLOBS is not set");
    (void)snprintf(path, sizeof path, "%s/%s", folder, name);
    const int file = pn_file_open(path, PN_FILE_READ);
    fuzz_expect(file >= 0, "no file of weights in PN_BLOBS");
    blob->size = pn_file_read(file, blob->bytes, sizeof blob->bytes);
    (void)pn_file_close(file);
}

static inline uint32_t fuzz_read32(const uint8_t *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static inline void fuzz_write32(uint8_t *p, uint32_t value) {
    for (unsigned i = 0; i < 4; i++)
        p[i] = (uint8_t)(value >> (8 * i) & 0xffu);
}

#endif
