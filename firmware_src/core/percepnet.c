/* The public interface: the signal path and the network of one channel. See percepnet.h. */
#include "percepnet.h"

#include <string.h>

#include "pn_blob.h"
#include "pn_fixed.h"
#include "pn_frame.h"
#include "pn_model.h"
#include "pn_nn.h"
#include "pn_probe.h"
#include "pn_voice.h"

#define VERSION "0.1.0"

struct pn_state {
    pn_nn_model_t model; /* the built-in one, or one that describes loaded weights */
    pn_frame_t frame;
    pn_voice_t voice;
    _Alignas(PN_STATE_ALIGNMENT) unsigned char network[]; /* pn_nn_state_size bytes */
};

_Static_assert(PN_PACKET_HOPS == PN_NN_PACKET, "signal path and network agree on a packet");
_Static_assert(PN_MAX_FRAME_SAMPLES == PN_HOP,
               "the header states the longest hop of the signal path");

size_t pn_state_size(void) {
    return sizeof(pn_state_t) + pn_nn_state_size(&pn_model);
}

static pn_status_t use_isa(pn_state_t *state, const char *isa) {
    return pn_frame_use_isa(&state->frame, isa) ? pn_nn_use_isa(&state->model, state->network, isa)
                                                : PN_ERROR_ISA;
}

pn_status_t pn_init(pn_state_t *state, int sample_rate_hz, const char *isa) {
    const pn_rate_t *const rate = pn_rate_find(sample_rate_hz);
    if (state == NULL || (uintptr_t)state % PN_STATE_ALIGNMENT != 0)
        return PN_ERROR_ARGUMENT;
    if (rate == NULL)
        return PN_ERROR_RATE;
    state->model = pn_model;
    pn_frame_init(&state->frame, rate);
    pn_voice_init(&state->voice);
    pn_nn_reset(&state->model, state->network);
    return isa == NULL ? PN_OK : use_isa(state, isa);
}

void pn_reset(pn_state_t *state) {
    const char *const isa = pn_nn_isa(state->network);
    const int32_t floor_q15 = state->frame.gains.wanted_floor_q15;
    pn_frame_init(&state->frame, state->frame.dsp.rate);
    pn_gains_set_floor(&state->frame.gains, floor_q15);
    state->frame.gains.floor_q15 = floor_q15; /* nothing sounds yet: no need to approach it */
    pn_voice_init(&state->voice);
    pn_nn_reset(&state->model, state->network);
    (void)use_isa(state, isa); /* it was in use before: it cannot fail */
}

pn_status_t pn_load_weights(pn_state_t *state, const void *weights, size_t size) {
    switch (pn_blob_load(weights, size, &pn_model, &state->model)) {
    case PN_BLOB_OK:
        pn_reset(state);
        return PN_OK;
    case PN_BLOB_MISALIGNED:
        return PN_ERROR_ARGUMENT;
    case PN_BLOB_TRUNCATED:
    case PN_BLOB_MAGIC:
        return PN_ERROR_WEIGHTS_FORMAT;
    case PN_BLOB_VERSION_UNKNOWN:
        return PN_ERROR_WEIGHTS_VERSION;
    case PN_BLOB_GRAPH:
    case PN_BLOB_LAYOUT:
        return PN_ERROR_WEIGHTS_MODEL;
    case PN_BLOB_CHECKSUM:
    case PN_BLOB_MATRIX:
        break;
    }
    return PN_ERROR_WEIGHTS_DAMAGED;
}

void pn_set_strength(pn_state_t *state, int attenuation_db) {
    /* 10^(-1/20) in Q31, once for each dB: the error of 100 roundings stays below 2^-24. */
    const int32_t one_db_q31 = 1913946815;
    int32_t floor_q31 = INT32_MAX;
    for (int db = 0; db < pn_clamp32(attenuation_db, 0, PN_STRENGTH_FULL); db++)
        floor_q31 = pn_mulr_q31(floor_q31, one_db_q31);
    const int32_t floor_q15 = attenuation_db >= PN_STRENGTH_FULL ? 0 : pn_shrr32(floor_q31, 16);
    pn_gains_set_floor(&state->frame.gains, floor_q15);
}

int pn_voice_probability(const pn_state_t *state) {
    return state->voice.probability_q15;
}

const char *pn_version(void) {
    return VERSION;
}

void pn_model_info(const pn_state_t *state, pn_model_info_t *info) {
    const pn_nn_model_t *const model = &state->model;
    *info =
        (pn_model_info_t){.graph_id = model->graph_id, .lookahead_frames = model->lookahead_frames};
    memcpy(info->source_sha256, model->source_sha256, sizeof info->source_sha256);
    for (size_t i = 0; i < PN_NN_MATRICES; i++) {
        const pn_matrix_t *const matrix = pn_nn_matrix(model, i);
        info->weights += (uint32_t)pn_nn_weights(matrix);
    }
}

static size_t frame_samples(const pn_state_t *state) {
    return (size_t)state->frame.dsp.rate->hop;
}

/* Frame l of a hop, with what the network said of it. */
static void synthesise(pn_state_t *state, uint32_t hops_ago, const int16_t *gains_q15,
                       const int16_t *strengths_q15, int32_t *out_q8) {
    pn_frame_t *const frame = &state->frame;
    PN_PROBE(VOICE);
    pn_voice_update(&state->voice, pn_frame_energies(frame, hops_ago), gains_q15,
                    pn_frame_pending(frame, hops_ago)->estimate);
    pn_frame_synthesise_hop(frame, hops_ago, gains_q15, strengths_q15, state->model.post_filter,
                            out_q8);
}

/* One frame from Q8 to Q8; out_q8 may be pcm_q8. */
static void process_q8(pn_state_t *state, const int32_t *pcm_q8, int32_t *out_q8) {
    int16_t features_q12[PN_FEATURES], gains_q15[PN_BANDS], strengths_q15[PN_BANDS];
    pn_frame_analyse_q8(&state->frame, pcm_q8, features_q12);
    PN_PROBE(NETWORK);
    pn_nn_step(&state->model, state->network, features_q12, gains_q15, strengths_q15);
    synthesise(state, 0, gains_q15, strengths_q15, out_q8);
}

static void from_words(const int16_t *in, size_t samples, int32_t *frame_q8) {
    PN_PROBE(SAMPLES);
    for (size_t n = 0; n < samples; n++)
        frame_q8[n] = in[n] * 256;
}

static void to_words(const int32_t *frame_q8, size_t samples, int16_t *out) {
    PN_PROBE(SAMPLES);
    for (size_t n = 0; n < samples; n++)
        out[n] = pn_sat16(pn_shrr32(frame_q8[n], 8));
}

void pn_process(pn_state_t *state, const int16_t *in, int16_t *out) {
    int32_t frame_q8[PN_HOP] = {0}; /* lower rates fill a part */
    from_words(in, frame_samples(state), frame_q8);
    process_q8(state, frame_q8, frame_q8);
    to_words(frame_q8, frame_samples(state), out);
    PN_PROBE(OUTSIDE);
}

void pn_process_packet(pn_state_t *state, const int16_t *in, int16_t *out) {
    const size_t samples = frame_samples(state);
    int32_t frame_q8[PN_HOP] = {0};
    int16_t features_q12[PN_PACKET_HOPS][PN_FEATURES];
    int16_t gains_q15[PN_PACKET_HOPS][PN_BANDS], strengths_q15[PN_PACKET_HOPS][PN_BANDS];
    for (size_t hop = 0; hop < PN_PACKET_HOPS; hop++) {
        from_words(in + hop * samples, samples, frame_q8);
        pn_frame_analyse_q8(&state->frame, frame_q8, features_q12[hop]);
    }
    PN_PROBE(NETWORK);
    pn_nn_packet(&state->model, state->network, features_q12, gains_q15, strengths_q15);
    for (uint32_t hop = 0; hop < PN_PACKET_HOPS; hop++) {
        synthesise(state, PN_PACKET_HOPS - 1 - hop, gains_q15[hop], strengths_q15[hop], frame_q8);
        to_words(frame_q8, samples, out + hop * samples);
    }
    PN_PROBE(OUTSIDE);
}

/* +-1 to Q8 of int16 LSBs: 2^23 is full scale. */
static int32_t from_float(float sample) {
    const float full_scale = 8388608.0f;
    if (sample != sample)
        return 0;
    return sample >= 1.0f    ? (1 << 23) - 1
           : sample <= -1.0f ? -(1 << 23)
                             : (int32_t)(sample * full_scale);
}

void pn_process_float(pn_state_t *state, const float *in, float *out) {
    int32_t frame_q8[PN_HOP] = {0}; /* lower rates fill a part */
    const size_t samples = frame_samples(state);
    for (size_t n = 0; n < samples; n++)
        frame_q8[n] = from_float(in[n]);
    process_q8(state, frame_q8, frame_q8);
    for (size_t n = 0; n < samples; n++)
        out[n] = (float)frame_q8[n] / 8388608.0f;
}

int pn_frame_samples(const pn_state_t *state) {
    return state->frame.dsp.rate->hop;
}

int pn_latency_samples(const pn_state_t *state) {
    return PN_DELAY_HOPS * state->frame.dsp.rate->hop;
}

const char *pn_isa(const pn_state_t *state) {
    return pn_nn_isa(state->network);
}

const char *pn_strerror(pn_status_t status) {
    switch (status) {
    case PN_OK:
        return "success";
    case PN_ERROR_ARGUMENT:
        return "a pointer is null or not aligned to PN_STATE_ALIGNMENT";
    case PN_ERROR_ISA:
        return "the instruction set is unknown, not in this build, or not in this processor";
    case PN_ERROR_RATE:
        return "the sample rate is none of 8000, 16000, 24000, 32000 and 48000 Hz";
    case PN_ERROR_WEIGHTS_FORMAT:
        return "not a weight blob, or cut short";
    case PN_ERROR_WEIGHTS_VERSION:
        return "the weight blob has a format version that this library does not know";
    case PN_ERROR_WEIGHTS_MODEL:
        return "the weight blob is for another network, or packed for other kernels";
    case PN_ERROR_WEIGHTS_DAMAGED:
        return "the weight blob is damaged: a checksum or a table does not fit";
    }
    return "unknown status";
}
