/*
 * Weights in a file or a flash region of their own (PNWB), used in place: checked whole before the
 * first is read.
 *
 * Little endian. Header, 64 bytes:
 *   0 magic "PNWB"      4 format version   8 total bytes     12 CRC-32 of all bytes from 16 on
 *  16 graph id         20 layout          24 matrices        28 lookahead frames | post filter << 8
 *  32 first 16 bytes of the SHA-256 of the source model
 *  48 CRC-32 of what these weights give for the golden features (pn_trial.h)      52 zero
 * Then per matrix, in order of evaluation, 24 bytes:
 *   0 offset            4 CRC-32 of its bytes                 8 rows | cols << 16
 *  12 left shift       16 right shift                        20 words of its list of blocks, or 0
 * Then, each at its offset, a multiple of 64:
 *   weights int8 [rows * cols], bias int32 [rows], multiplier int32 [rows]
 * and of a block sparse matrix (pn_kernels.h) the weights of the blocks that are left, bias,
 * multiplier, and its list, uint16.
 */
#ifndef PN_BLOB_H
#define PN_BLOB_H

#include "pn_nn.h"

#define PN_BLOB_VERSION 2u
#define PN_BLOB_HEADER_BYTES 64u
#define PN_BLOB_ENTRY_BYTES 24u
#define PN_BLOB_ALIGNMENT 64u

typedef enum pn_blob_status {
    PN_BLOB_OK = 0,
    PN_BLOB_MISALIGNED, /* the memory is not aligned to 64 bytes */
    PN_BLOB_TRUNCATED,  /* fewer bytes than the header says */
    PN_BLOB_MAGIC,      /* not a blob */
    PN_BLOB_VERSION_UNKNOWN,
    PN_BLOB_CHECKSUM, /* damaged */
    PN_BLOB_GRAPH,    /* weights of another architecture or other widths */
    PN_BLOB_LAYOUT,   /* packed for other kernels */
    PN_BLOB_MATRIX,   /* a matrix of another shape, out of bounds, damaged, or with sums that may
                         overflow */
} pn_blob_status_t;

/**
 * Check a blob and describe it as a model.
 *
 * data    `size` bytes, which stay where they are for as long as the model is used
 * base    a model of the same graph: widths and the activation table come from it
 * model   receives the model; left alone unless PN_BLOB_OK is returned, so that a bad blob never
 *         replaces a good one
 */
pn_blob_status_t pn_blob_load(const void *data, size_t size, const pn_nn_model_t *base,
                              pn_nn_model_t *model);

/**
 * Judge a blob by its first PN_BLOB_HEADER_BYTES alone, before the rest has come. What they
 * promise, pn_blob_load still has to find: checksums above all.
 *
 * size  bytes that there are or will be
 */
pn_blob_status_t pn_blob_check_header(const uint8_t *header, size_t size,
                                      const pn_nn_model_t *base);

/* English wording of a status. */
const char *pn_blob_strerror(pn_blob_status_t status);

/* CRC-32 (IEEE 802.3, as zlib's crc32) of `count` bytes. */
uint32_t pn_blob_crc32(const uint8_t *bytes, size_t count);

#endif
