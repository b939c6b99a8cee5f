/*
 * The network: one step of 10 ms from 70 features to the gains and strengths of 34 bands.
 *
 * A model is constant data, generated from a .tflite (pn_model.h) or loaded from a blob
 * (pn_blob.h). A state holds what the network remembers, its scratch memory and the kernels that it
 * runs on.
 *
 *   a0 = tanh(fc x);  c1 = tanh(conv1 [a0 of 5 steps]);  c2 = tanh(conv2 [c1 of 3 steps])
 *   g1 = GRU(c2);  g2 = GRU(g1);  g3 = GRU(g2);  g4 = GRU(g3)
 *   gains = sigmoid(dense [g1 g2 g4 g3 c2])
 *   s = GRU([g3 c2]);  strengths = sigmoid(dense s)
 */
#ifndef PN_NN_H
#define PN_NN_H

#include <stddef.h>
#include <stdint.h>

#include "pn_dispatch.h"

#define PN_NN_FEATURES 70
#define PN_NN_BANDS 34
#define PN_NN_CONV1_FRAMES 5
#define PN_NN_CONV2_FRAMES 3
#define PN_NN_GRU_LAYERS 4
#define PN_NN_PACKET 2 /* most steps that share a pass over the weights */

/* Sizes in memory of the features and outputs: padded with zeros to what kernels need. */
#define PN_NN_PADDED_FEATURES 80
#define PN_NN_PADDED_BANDS 40

/* One affine map: rows a multiple of 8, columns of 16, packed in the model's layout. */
typedef struct pn_matrix {
    const int8_t *weights; /* [rows * cols] or the blocks that are left, 64-byte aligned */
    const int32_t *bias;   /* [rows] */
    pn_scale_t scale;      /* multiplier [rows] */
    uint16_t rows;
    uint16_t cols;
    const uint16_t *blocks; /* the list of a block sparse matrix, else NULL; see pn_kernels.h */
} pn_matrix_t;

typedef struct pn_gru_model {
    pn_matrix_t ih; /* [3 * units][inputs], gates r, z, n */
    pn_matrix_t hh; /* [3 * units][units] */
} pn_gru_model_t;

typedef struct pn_nn_model {
    uint32_t graph_id;  /* changes with the architecture or any width: states fit only equal ones */
    pn_layout_t layout; /* of all weights */
    uint16_t fc;        /* widths, each a multiple of 16 */
    uint16_t conv1;
    uint16_t conv2;
    uint16_t gru;
    uint16_t gru_strength;
    uint8_t lookahead_frames;  /* by which outputs trail the newest features */
    uint8_t post_filter;       /* 1 where the gains want the envelope post-filter */
    uint8_t source_sha256[16]; /* first bytes of the hash of the .tflite */
    uint32_t golden_crc;       /* CRC-32 of what it makes of the golden features (pn_trial.h) */
    const int16_t *tanh_table; /* tanh(i / 64) in Q15, [513] */
    pn_matrix_t fc_matrix;
    pn_matrix_t conv1_matrix;
    pn_matrix_t conv2_matrix;
    pn_gru_model_t gru_layers[PN_NN_GRU_LAYERS];
    pn_gru_model_t gru_strength_layer;
    pn_matrix_t gains;
    pn_matrix_t strengths;
} pn_nn_model_t;

#define PN_NN_MATRICES 15

/* The i-th matrix in order of evaluation (a GRU's ih before its hh), i < PN_NN_MATRICES. */
const pn_matrix_t *pn_nn_matrix(const pn_nn_model_t *model, size_t i);

/* How many int8 weights a matrix has in memory. */
size_t pn_nn_weights(const pn_matrix_t *matrix);

/* Bytes of a state, a multiple of 16; states are aligned to PN_STATE_ALIGNMENT. */
size_t pn_nn_state_size(const pn_nn_model_t *model);

/* Forget everything heard, and choose the best kernels. The build has some for the layout. */
void pn_nn_reset(const pn_nn_model_t *model, void *state);

/**
 * Use the kernels of another instruction set from the next step on: all give the same bits.
 *
 * isa  as in pn_dispatch_select. Returns PN_ERROR_ISA, and changes nothing, where it cannot be had.
 */
pn_status_t pn_nn_use_isa(const pn_nn_model_t *model, void *state, const char *isa);

/* Name of the instruction set in use. */
const char *pn_nn_isa(const void *state);

/**
 * One step.
 *
 * features_q12              [70], range of int16
 * gains_q15, strengths_q15  [34], 0..32767
 */
void pn_nn_step(const pn_nn_model_t *model, void *state, const int16_t *features_q12,
                int16_t *gains_q15, int16_t *strengths_q15);

/**
 * Two steps, with the same bits as pn_nn_step twice: the weights that do not wait for the first
 * one's states, 60 % of all, are read once for both.
 *
 * features_q12              [2][70]
 * gains_q15, strengths_q15  [2][34]
 */
void pn_nn_packet(const pn_nn_model_t *model, void *state, int16_t features_q12[][PN_NN_FEATURES],
                  int16_t gains_q15[][PN_NN_BANDS], int16_t strengths_q15[][PN_NN_BANDS]);

#endif
