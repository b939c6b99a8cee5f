/* The network. See pn_nn.h. */
#include "pn_nn.h"

#include <string.h>

#include "pn_conv1d.h"
#include "pn_dense.h"
#include "pn_gru.h"
#include "pn_probe.h"

#define ROOM1 PN_CONV1D_ROOM(PN_NN_CONV1_FRAMES)
#define ROOM2 PN_CONV1D_ROOM(PN_NN_CONV2_FRAMES)

/* Arrays follow this header, in the order and of the sizes that arrange() gives them. */
typedef struct {
    _Alignas(16) pn_kernels_t kernels;
} header_t;

/* Offsets of the arrays in a state, bytes. Widths are multiples of 16, and so are all of these. */
typedef struct {
    size_t features; /* int16 [80] */
    size_t frames1;  /* int8 [ROOM1 * fc], oldest first */
    size_t frames2;  /* int8 [ROOM2 * conv1] */
    size_t
        joined; /* int8 [2][4 * gru + conv2]: g1 g2 g4 g3 c2, newest last; [g3 c2] is read, too */
    size_t strength_s8;  /* int8 [2][gru_strength] */
    size_t h_q15;        /* int16 [4 * gru] */
    size_t strength_q15; /* int16 [gru_strength] */
    size_t ih;           /* int32 [2][widest matrix] */
    size_t hh;           /* int32 [3 * widest GRU] */
    size_t end;
} places_t;

static size_t place(size_t *end, size_t bytes) {
    const size_t start = *end;
    *end += bytes;
    return start;
}

static size_t joined_width(const pn_nn_model_t *m) {
    return (size_t)PN_NN_GRU_LAYERS * m->gru + m->conv2;
}

static size_t larger(size_t a, size_t b) {
    return a > b ? a : b;
}

static places_t arrange(const pn_nn_model_t *m) {
    const size_t recurrent = 3 * larger(m->gru, m->gru_strength);
    const size_t dense = larger(larger(m->fc, m->conv1), larger(m->conv2, PN_NN_PADDED_BANDS));
    places_t at;
    size_t end = sizeof(header_t);
    at.features = place(&end, PN_NN_PADDED_FEATURES * sizeof(int16_t));
    at.frames1 = place(&end, (size_t)ROOM1 * m->fc);
    at.frames2 = place(&end, (size_t)ROOM2 * m->conv1);
    at.joined = place(&end, PN_NN_PACKET * joined_width(m));
    at.strength_s8 = place(&end, (size_t)PN_NN_PACKET * m->gru_strength);
    at.h_q15 = place(&end, PN_NN_GRU_LAYERS * m->gru * sizeof(int16_t));
    at.strength_q15 = place(&end, m->gru_strength * sizeof(int16_t));
    at.ih = place(&end, PN_NN_PACKET * larger(recurrent, dense) * sizeof(int32_t));
    at.hh = place(&end, recurrent * sizeof(int32_t));
    at.end = end;
    return at;
}

const pn_matrix_t *pn_nn_matrix(const pn_nn_model_t *m, size_t i) {
    const pn_matrix_t *const matrices[PN_NN_MATRICES] = {
        &m->fc_matrix,
        &m->conv1_matrix,
        &m->conv2_matrix,
        &m->gru_layers[0].ih,
        &m->gru_layers[0].hh,
        &m->gru_layers[1].ih,
        &m->gru_layers[1].hh,
        &m->gru_layers[2].ih,
        &m->gru_layers[2].hh,
        &m->gru_layers[3].ih,
        &m->gru_layers[3].hh,
        &m->gru_strength_layer.ih,
        &m->gru_strength_layer.hh,
        &m->gains,
        &m->strengths,
    };
    return matrices[i];
}

size_t pn_nn_weights(const pn_matrix_t *matrix) {
    size_t blocks = 0;
    const uint16_t *list = matrix->blocks;
    for (size_t strip = 0; list && strip < matrix->rows / 8u; strip++, list += 1 + *list)
        blocks += *list;
    return list ? blocks * 32 : (size_t)matrix->rows * matrix->cols;
}

size_t pn_nn_state_size(const pn_nn_model_t *model) {
    return arrange(model).end;
}

void pn_nn_reset(const pn_nn_model_t *model, void *state) {
    memset(state, 0, pn_nn_state_size(model));
    (void)pn_nn_use_isa(model, state, NULL);
}

pn_status_t pn_nn_use_isa(const pn_nn_model_t *model, void *state, const char *isa) {
    header_t *const header = state;
    return pn_dispatch_select(model->layout, isa, &header->kernels);
}

const char *pn_nn_isa(const void *state) {
    const header_t *const header = state;
    return header->kernels.isa;
}

/* The arrays of a state. */
typedef struct {
    int16_t *features, *h_q15, *strength_q15;
    int8_t *frames1, *frames2, *joined, *strength_s8;
    int32_t *ih, *hh;
} arrays_t;

static arrays_t find_arrays(const pn_nn_model_t *model, void *state) {
    const places_t at = arrange(model);
    uint8_t *const base = state;
    return (arrays_t){
        .features = (int16_t *)(void *)(base + at.features),
        .h_q15 = (int16_t *)(void *)(base + at.h_q15),
        .strength_q15 = (int16_t *)(void *)(base + at.strength_q15),
        .frames1 = (int8_t *)(base + at.frames1),
        .frames2 = (int8_t *)(base + at.frames2),
        .joined = (int8_t *)(base + at.joined),
        .strength_s8 = (int8_t *)(base + at.strength_s8),
        .ih = (int32_t *)(void *)(base + at.ih),
        .hh = (int32_t *)(void *)(base + at.hh),
    };
}

/* One or two steps, and what they work with. */
typedef struct {
    const pn_nn_model_t *model;
    const pn_kernels_t *kernels;
    size_t steps;
    arrays_t arrays;
} run_t;

/* Of vectors that both steps of a packet have, the last is the newest: the first of this run. */
static pn_outputs_t newest(const run_t *run, int8_t *vectors, size_t stride) {
    return (pn_outputs_t){vectors + (PN_NN_PACKET - run->steps) * stride, stride};
}

static pn_inputs_t as_inputs(pn_outputs_t y) {
    return (pn_inputs_t){y.first, y.stride};
}

/* The last frames that a convolution sees, where y are the newest. */
static pn_inputs_t seen(pn_outputs_t y, size_t frames) {
    return (pn_inputs_t){y.first - (frames - 1) * y.stride, y.stride};
}

/* Where g1..g4 stand in `joined`, and c2, in units of the GRUs' width. */
enum { PLACE_G3 = 3, PLACE_C2 = 4 };
static const uint8_t place_of_gru[PN_NN_GRU_LAYERS] = {0, 1, PLACE_G3, 2};

static pn_outputs_t joined_part(const run_t *run, size_t part) {
    return newest(run, run->arrays.joined + part * run->model->gru, joined_width(run->model));
}

static void step_convolutions(const run_t *run, const int16_t *features_q12) {
    const pn_nn_model_t *const m = run->model;
    const arrays_t *const s = &run->arrays;
    const pn_outputs_t a0 = {pn_conv1d_push(s->frames1, ROOM1, m->fc, run->steps), m->fc};
    const pn_outputs_t c1 = {pn_conv1d_push(s->frames2, ROOM2, m->conv1, run->steps), m->conv1};
    PN_PROBE(FC);
    for (size_t step = 0; step < run->steps; step++) {
        memcpy(s->features, features_q12 + step * PN_NN_FEATURES,
               PN_NN_FEATURES * sizeof *s->features);
        pn_dense_tanh_features(run->kernels, m, &m->fc_matrix, s->features, s->ih,
                               a0.first + step * a0.stride);
    }
    PN_PROBE(CONV1);
    pn_dense_tanh(run->kernels, m, &m->conv1_matrix, run->steps, seen(a0, PN_NN_CONV1_FRAMES),
                  s->ih, c1);
    PN_PROBE(CONV2);
    pn_dense_tanh(run->kernels, m, &m->conv2_matrix, run->steps, seen(c1, PN_NN_CONV2_FRAMES),
                  s->ih, joined_part(run, PLACE_C2));
}

static void step_grus(const run_t *run) {
    const pn_nn_model_t *const m = run->model;
    const arrays_t *const s = &run->arrays;
    pn_inputs_t x = as_inputs(joined_part(run, PLACE_C2));
    for (size_t i = 0; i < PN_NN_GRU_LAYERS; i++) {
        const pn_outputs_t h_s8 = joined_part(run, place_of_gru[i]);
        const int8_t *const before = h_s8.first + (run->steps - 1) * h_s8.stride;
        PN_PROBE_AT((pn_probe_region_t)(PN_PROBE_GRU1 + i));
        pn_gru_steps(run->kernels, m, &m->gru_layers[i], run->steps, x,
                     (pn_gru_memory_t){s->h_q15 + i * m->gru, before}, h_s8, s->ih, s->hh);
        x = as_inputs(h_s8);
    }
}

static void step_strength(const run_t *run) {
    const pn_nn_model_t *const m = run->model;
    const arrays_t *const s = &run->arrays;
    const pn_outputs_t h_s8 = newest(run, s->strength_s8, m->gru_strength);
    const int8_t *const before = h_s8.first + (run->steps - 1) * h_s8.stride;
    PN_PROBE(GRU_STRENGTH);
    pn_gru_steps(run->kernels, m, &m->gru_strength_layer, run->steps,
                 as_inputs(joined_part(run, PLACE_G3)), (pn_gru_memory_t){s->strength_q15, before},
                 h_s8, s->ih, s->hh);
}

static void step_all(const pn_nn_model_t *model, void *state, size_t steps,
                     const int16_t *features_q12, int16_t (*gains_q15)[PN_NN_BANDS],
                     int16_t (*strengths_q15)[PN_NN_BANDS]) {
    const run_t run = {model, &((const header_t *)state)->kernels, steps,
                       find_arrays(model, state)};
    const arrays_t *const s = &run.arrays;
    step_convolutions(&run, features_q12);
    step_grus(&run);
    step_strength(&run);
    PN_PROBE(GAINS_HEAD);
    pn_dense_sigmoid(run.kernels, model, &model->gains, steps, as_inputs(joined_part(&run, 0)),
                     s->ih, gains_q15);
    PN_PROBE(STRENGTHS_HEAD);
    pn_dense_sigmoid(run.kernels, model, &model->strengths, steps,
                     as_inputs(newest(&run, s->strength_s8, model->gru_strength)), s->ih,
                     strengths_q15);
}

void pn_nn_step(const pn_nn_model_t *model, void *state, const int16_t *features_q12,
                int16_t *gains_q15, int16_t *strengths_q15) {
    step_all(model, state, 1, features_q12, (int16_t (*)[PN_NN_BANDS])gains_q15,
             (int16_t (*)[PN_NN_BANDS])strengths_q15);
}

void pn_nn_packet(const pn_nn_model_t *model, void *state, int16_t features_q12[][PN_NN_FEATURES],
                  int16_t gains_q15[][PN_NN_BANDS], int16_t strengths_q15[][PN_NN_BANDS]) {
    step_all(model, state, PN_NN_PACKET, features_q12[0], gains_q15, strengths_q15);
}
