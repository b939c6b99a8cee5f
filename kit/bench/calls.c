/*
 * Calls timed where they are made, without Python's part in them, and reading memory as fast as this
 * processor can: the limit of everything that reads its weights once a frame. Compiled for the very
 * processor that it runs on.
 */
#define _POSIX_C_SOURCE 200809L

#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "percepnet.h"
#include "pn_nn.h"

/* Bytes of the widest load: a wider vector than the registers would be kept in memory. */
#if defined(__AVX512F__)
#define WIDEST 64
#elif defined(__AVX__)
#define WIDEST 32
#else
#define WIDEST 16
#endif

typedef uint64_t vector_t __attribute__((vector_size(WIDEST)));

/* One pass over `size` bytes, a multiple of 8 vectors, in order; eight independent sums. */
uint64_t stream(const void *memory, size_t size) {
    vector_t a = {0}, b = {0}, c = {0}, d = {0}, e = {0}, f = {0}, g = {0}, h = {0};
    const vector_t *const end = (const vector_t *)((const char *)memory + size);
    for (const vector_t *at = memory; at != end; at += 8) {
        a ^= at[0];
        b ^= at[1];
        c ^= at[2];
        d ^= at[3];
        e ^= at[4];
        f ^= at[5];
        g ^= at[6];
        h ^= at[7];
    }
    a ^= b ^ c ^ d ^ e ^ f ^ g ^ h;
    uint64_t sum = 0;
    for (size_t lane = 0; lane < sizeof a / sizeof sum; lane++)
        sum ^= a[lane];
    return sum;
}

static uint64_t now_ns(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Each of these makes one call and returns its nanoseconds. */

uint64_t timed_stream(const void *memory, size_t size, uint64_t *sum) {
    const uint64_t start = now_ns();
    *sum = stream(memory, size);
    return now_ns() - start;
}

typedef void process_fn(pn_state_t *state, const int16_t *in, int16_t *out);

uint64_t timed_process(process_fn *process, pn_state_t *state, const int16_t *in, int16_t *out) {
    const uint64_t start = now_ns();
    process(state, in, out);
    return now_ns() - start;
}

typedef void network_fn(const pn_nn_model_t *model, void *state, const int16_t *features_q12,
                        int16_t *gains_q15, int16_t *strengths_q15);

uint64_t timed_network(network_fn *step, const pn_nn_model_t *model, void *state,
                       const int16_t *features_q12, int16_t *gains_q15, int16_t *strengths_q15) {
    const uint64_t start = now_ns();
    step(model, state, features_q12, gains_q15, strengths_q15);
    return now_ns() - start;
}

typedef void packet_fn(const pn_nn_model_t *model, void *state,
                       int16_t features_q12[][PN_NN_FEATURES], int16_t gains_q15[][PN_NN_BANDS],
                       int16_t strengths_q15[][PN_NN_BANDS]);

uint64_t timed_packet(packet_fn *packet, const pn_nn_model_t *model, void *state,
                      int16_t features_q12[][PN_NN_FEATURES], int16_t gains_q15[][PN_NN_BANDS],
                      int16_t strengths_q15[][PN_NN_BANDS]) {
    const uint64_t start = now_ns();
    packet(model, state, features_q12, gains_q15, strengths_q15);
    return now_ns() - start;
}

uint64_t timed_s8_gemv(const pn_kernels_t *kernels, const pn_matrix_t *m, const int8_t *x,
                       int32_t *y) {
    const uint64_t start = now_ns();
    if (m->blocks)
        kernels->s8_spmv(m->rows, m->weights, m->blocks, m->bias, x, y);
    else
        kernels->s8_gemv(m->rows, m->cols, m->weights, m->bias, x, y);
    return now_ns() - start;
}

/* x, y: the second column lies behind the first. */
uint64_t timed_s8_gemv_2col(const pn_kernels_t *kernels, const pn_matrix_t *m, const int8_t *x,
                            int32_t *y) {
    const uint64_t start = now_ns();
    const int8_t *const x1 = x + m->cols;
    if (m->blocks)
        kernels->s8_spmv_2col(m->rows, m->weights, m->blocks, m->bias, x, x1, y, y + m->rows);
    else
        kernels->s8_gemv_2col(m->rows, m->cols, m->weights, m->bias, x, x1, y, y + m->rows);
    return now_ns() - start;
}

uint64_t timed_s16s8_gemv(const pn_kernels_t *kernels, const pn_matrix_t *m, const int16_t *x,
                          int32_t *y) {
    const uint64_t start = now_ns();
    kernels->s16s8_gemv(m->rows, m->cols, m->weights, m->bias, x, y);
    return now_ns() - start;
}

uint64_t timed_s32_tanh(const pn_kernels_t *kernels, const pn_matrix_t *m, const int32_t *sums,
                        const int16_t *table, int8_t *y) {
    const uint64_t start = now_ns();
    kernels->s32_tanh(m->rows, sums, &m->scale, table, y);
    return now_ns() - start;
}

uint64_t timed_s32_gru(const pn_kernels_t *kernels, const pn_matrix_t *m, const int32_t *sums,
                       const int16_t *table, int16_t *h_q15, int8_t *h_s8) {
    const uint64_t start = now_ns();
    kernels->s32_gru(m->rows / 3u, sums, sums, &m->scale, &m->scale, table, h_q15, h_s8);
    return now_ns() - start;
}
