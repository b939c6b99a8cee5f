/* The public interface: the signal path and the network of one channel. See percepnet.h. */
#include "percepnet.h"

#include "pn_fixed.h"
#include "pn_frame.h"
#include "pn_model.h"
#include "pn_nn.h"

struct pn_state {
    pn_frame_t frame;
    _Alignas(PN_STATE_ALIGNMENT) unsigned char network[]; /* pn_nn_state_size bytes */
};

_Static_assert(PN_LATENCY_SAMPLES == PN_DELAY, "the header states the delay of the signal path");
_Static_assert(PN_FRAME_SAMPLES == PN_HOP, "the header states the hop of the signal path");

size_t pn_state_size(void) {
    return sizeof(pn_state_t) + pn_nn_state_size(&pn_model);
}

pn_status_t pn_init(pn_state_t *state, const char *isa) {
    if (state == NULL || (uintptr_t)state % PN_STATE_ALIGNMENT != 0)
        return PN_ERROR_ARGUMENT;
    pn_frame_init(&state->frame);
    pn_nn_reset(&pn_model, state->network);
    return isa == NULL ? PN_OK : pn_nn_use_isa(&pn_model, state->network, isa);
}

/* One frame from Q8 to Q8; out_q8 may be pcm_q8. */
static void process_q8(pn_state_t *state, const int32_t *pcm_q8, int32_t *out_q8) {
    int16_t features_q12[PN_FEATURES], gains_q15[PN_BANDS], strengths_q15[PN_BANDS];
    pn_frame_analyse_q8(&state->frame, pcm_q8, features_q12);
    pn_nn_step(&pn_model, state->network, features_q12, gains_q15, strengths_q15);
    pn_frame_synthesise(&state->frame, gains_q15, strengths_q15, pn_model.post_filter, out_q8);
}

void pn_process(pn_state_t *state, const int16_t *in, int16_t *out) {
    int32_t frame_q8[PN_HOP];
    for (size_t n = 0; n < PN_HOP; n++)
        frame_q8[n] = in[n] * 256;
    process_q8(state, frame_q8, frame_q8);
    for (size_t n = 0; n < PN_HOP; n++)
        out[n] = pn_sat16(pn_shrr32(frame_q8[n], 8));
}

/* +-1 to Q8 of int16 LSBs: 2^23 is full scale. */
static int32_t from_float(float sample) {
    const float full_scale = 8388608.0f;
    if (sample != sample)
        return 0;
    return sample >= 1.0f ? (1 << 23) - 1 : sample <= -1.0f ? -(1 << 23) : (int32_t)(sample * full_scale);
}

void pn_process_float(pn_state_t *state, const float *in, float *out) {
    int32_t frame_q8[PN_HOP];
    for (size_t n = 0; n < PN_HOP; n++)
        frame_q8[n] = from_float(in[n]);
    process_q8(state, frame_q8, frame_q8);
    for (size_t n = 0; n < PN_HOP; n++)
        out[n] = (float)frame_q8[n] / 8388608.0f;
}

int pn_latency_samples(void) {
    return PN_LATENCY_SAMPLES;
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
    }
    return "unknown status";
}
