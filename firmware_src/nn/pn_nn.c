/* The network. See pn_nn.h. */
#include "pn_nn.h"

#include <string.h>

#include "pn_conv1d.h"
#include "pn_dense.h"
#include "pn_gru.h"
#include "pn_probe.h"

#define ALIGNMENT 16

/* Arrays follow this header, in the order and of the sizes that arrange() gives them. */
typedef struct {
    _Alignas(ALIGNMENT) pn_kernels_t kernels;
} header_t;

/* Offsets of the arrays in a state, bytes. */
typedef struct {
    size_t features; /* int16 [80] */
    size_t frames1; /* int8 [5 * fc], oldest first */
    size_t frames2; /* int8 [3 * conv1] */
    size_t joined; /* int8 [4 * gru + conv2]: g1 g2 g4 g3 c2; in one piece, as is [g3 c2] in it */
    size_t strength_s8; /* int8 [gru_strength] */
    size_t h_q15; /* int16 [4 * gru] */
    size_t strength_q15; /* int16 [gru_strength] */
    size_t ih; /* int32 [widest matrix] */
    size_t hh; /* int32 [3 * widest GRU] */
    size_t end;
} places_t;

static size_t place(size_t *end, size_t bytes) {
    const size_t start = *end;
    *end += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    return start;
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
    at.frames1 = place(&end, (size_t)PN_NN_CONV1_FRAMES * m->fc);
    at.frames2 = place(&end, (size_t)PN_NN_CONV2_FRAMES * m->conv1);
    at.joined = place(&end, (size_t)PN_NN_GRU_LAYERS * m->gru + m->conv2);
    at.strength_s8 = place(&end, m->gru_strength);
    at.h_q15 = place(&end, PN_NN_GRU_LAYERS * m->gru * sizeof(int16_t));
    at.strength_q15 = place(&end, m->gru_strength * sizeof(int16_t));
    at.ih = place(&end, larger(recurrent, dense) * sizeof(int32_t));
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
    int8_t *frames1, *frames2, *joined, *g3_c2, *c2, *strength_s8;
    int32_t *ih, *hh;
} arrays_t;

static arrays_t find_arrays(const pn_nn_model_t *model, void *state) {
    const places_t at = arrange(model);
    uint8_t *const base = state;
    int8_t *const joined = (int8_t *)(base + at.joined);
    return (arrays_t){
        .features = (int16_t *)(void *)(base + at.features),
        .h_q15 = (int16_t *)(void *)(base + at.h_q15),
        .strength_q15 = (int16_t *)(void *)(base + at.strength_q15),
        .frames1 = (int8_t *)(base + at.frames1),
        .frames2 = (int8_t *)(base + at.frames2),
        .joined = joined,
        .g3_c2 = joined + 3 * (size_t)model->gru,
        .c2 = joined + 4 * (size_t)model->gru,
        .strength_s8 = (int8_t *)(base + at.strength_s8),
        .ih = (int32_t *)(void *)(base + at.ih),
        .hh = (int32_t *)(void *)(base + at.hh),
    };
}

/* Where g1..g4 stand in `joined`, in units of the GRUs' width. */
static const uint8_t joined_place[PN_NN_GRU_LAYERS] = {0, 1, 3, 2};

static void step_grus(const pn_kernels_t *kernels, const pn_nn_model_t *model, const arrays_t *s) {
    const size_t units = model->gru;
    const int8_t *x = s->c2;
    for (size_t i = 0; i < PN_NN_GRU_LAYERS; i++) {
        int8_t *const h_s8 = s->joined + joined_place[i] * units;
        PN_PROBE_AT((pn_probe_region_t)(PN_PROBE_GRU1 + i));
        pn_gru_step(kernels, model, &model->gru_layers[i], x, s->h_q15 + i * units, h_s8, s->ih,
                    s->hh);
        x = h_s8;
    }
    PN_PROBE(GRU_STRENGTH);
    pn_gru_step(kernels, model, &model->gru_strength_layer, s->g3_c2, s->strength_q15,
                s->strength_s8, s->ih, s->hh);
}

void pn_nn_step(const pn_nn_model_t *model, void *state, const int16_t *features_q12,
                int16_t *gains_q15, int16_t *strengths_q15) {
    const pn_kernels_t *const kernels = &((const header_t *)state)->kernels;
    const arrays_t s = find_arrays(model, state);

    PN_PROBE(FC);
    memcpy(s.features, features_q12, PN_NN_FEATURES * sizeof *s.features);
    int8_t *const a0 = pn_conv1d_push(s.frames1, PN_NN_CONV1_FRAMES, model->fc);
    pn_dense_tanh_features(kernels, model, &model->fc_matrix, s.features, s.ih, a0);
    PN_PROBE(CONV1);
    int8_t *const c1 = pn_conv1d_push(s.frames2, PN_NN_CONV2_FRAMES, model->conv1);
    pn_dense_tanh(kernels, model, &model->conv1_matrix, s.frames1, s.ih, c1);
    PN_PROBE(CONV2);
    pn_dense_tanh(kernels, model, &model->conv2_matrix, s.frames2, s.ih, s.c2);
    step_grus(kernels, model, &s);
    PN_PROBE(GAINS_HEAD);
    pn_dense_sigmoid(kernels, model, &model->gains, s.joined, s.ih, PN_NN_BANDS, gains_q15);
    PN_PROBE(STRENGTHS_HEAD);
    pn_dense_sigmoid(kernels, model, &model->strengths, s.strength_s8, s.ih, PN_NN_BANDS,
                     strengths_q15);
}
