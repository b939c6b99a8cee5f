/* The signal path: see pn_frame.h. */
#include "pn_frame.h"

#include <string.h>

#include "pn_dispatch.h"
#include "pn_fft.h"
#include "pn_fixed.h"
#include "pn_probe.h"

void pn_frame_init(pn_frame_t *state, const pn_rate_t *rate) {
    memset(state, 0, sizeof *state);
    state->dsp = (pn_dsp_t){rate, pn_fft_plan(2 * rate->hop), pn_dispatch_dsp(NULL)};
    pn_highpass_init(&state->highpass, rate);
    pn_level_init(&state->level);
    pn_pitch_init(&state->pitch, rate);
    pn_gains_init(&state->gains);
}

int pn_frame_use_isa(pn_frame_t *state, const char *isa) {
    const pn_dsp_kernels_t *const kernels = pn_dispatch_dsp(isa);
    if (kernels != NULL)
        state->dsp.kernels = kernels;
    return kernels != NULL;
}

uint32_t pn_frame_place(const pn_frame_t *state, uint32_t hops_ago) {
    return (state->newest + PN_RING - PN_LOOKAHEAD - hops_ago) % PN_RING;
}

static uint32_t pending_place(const pn_frame_t *state, uint32_t hops_ago) {
    return (state->newest + PN_PACKET_HOPS - hops_ago) % PN_PACKET_HOPS;
}

const pn_pending_t *pn_frame_pending(const pn_frame_t *state, uint32_t hops_ago) {
    return &state->pending[pending_place(state, hops_ago)];
}

static void push_history(pn_frame_t *state, const int32_t *pcm_q8) {
    PN_PROBE(HIGHPASS);
    const size_t hop = (size_t)state->dsp.rate->hop, kept = (PN_HISTORY_HOPS - 1) * hop;
    state->dsp.kernels->move(state->history + hop, kept, state->history);
    pn_highpass_process(&state->highpass, pcm_q8, state->history + kept, hop);
}

static void analyse_newest(pn_frame_t *state, int16_t *features_q12) {
    PN_PROBE(TRANSFORM);
    state->newest = (state->newest + 1) % PN_RING;
    const int32_t *const newest = state->history + (PN_HISTORY_HOPS - 2) * state->dsp.rate->hop;
    pn_spectrum_t *const spectrum = &state->spectra[state->newest];
    pn_scaled_t *const energies = state->energies[state->newest];
    pn_spectrum_analyse(&state->dsp, newest, state->scratch, spectrum);
    PN_PROBE(FEATURES);
    pn_bands_energy(state->dsp.kernels, spectrum, energies);
    pn_features_log_bands(&state->level, energies, features_q12);
}

static void comb_frame(pn_frame_t *state, int16_t *features_q12) {
    int16_t coherence_q15[PN_BANDS];
    const uint32_t frame = pn_frame_place(state, 0);
    pn_pending_t *const pending = &state->pending[pending_place(state, 0)];
    PN_PROBE(PITCH);
    pending->estimate = pn_pitch_push(&state->pitch, state->history);
    PN_PROBE(COMB);
    pn_comb_filter(state->dsp.kernels, state->history, state->dsp.rate->hop,
                   pending->estimate.period, state->scratch);
    PN_PROBE(TRANSFORM);
    pn_spectrum_analyse(&state->dsp, state->scratch, state->scratch, &pending->comb);
    PN_PROBE(FEATURES);
    pn_features_coherence(state->dsp.kernels, &state->spectra[frame], state->energies[frame],
                          &pending->comb, coherence_q15);
    pn_features_pitch(coherence_q15, pending->estimate, state->dsp.rate, features_q12);
}

void pn_frame_analyse_q8(pn_frame_t *state, const int32_t *pcm_q8, int16_t *features_q12) {
    push_history(state, pcm_q8);
    analyse_newest(state, features_q12);
    comb_frame(state, features_q12);
}

void pn_frame_analyse(pn_frame_t *state, const int16_t *pcm, int16_t *features_q12) {
    for (int n = 0; n < state->dsp.rate->hop; n++)
        state->scratch[n] = pcm[n] * 256;
    pn_frame_analyse_q8(state, state->scratch, features_q12);
}

const pn_scaled_t *pn_frame_energies(const pn_frame_t *state, uint32_t hops_ago) {
    return state->energies[pn_frame_place(state, hops_ago)];
}

void pn_frame_synthesise_hop(pn_frame_t *state, uint32_t hops_ago, const int16_t *gains_q15,
                             const int16_t *strengths_q15, int post_filter, int32_t *out_q8) {
    const uint32_t frame = pn_frame_place(state, hops_ago);
    pn_spectrum_t *const comb = &state->pending[pending_place(state, hops_ago)].comb;
    PN_PROBE(GAINS);
    pn_gains_apply(&state->gains, state->dsp.kernels, &state->spectra[frame],
                   state->energies[frame], comb, gains_q15, strengths_q15, post_filter,
                   state->scratch, comb);
    PN_PROBE(SYNTHESIS);
    pn_spectrum_synthesise(&state->dsp, comb, state->scratch, state->overlap, out_q8);
}

void pn_frame_synthesise(pn_frame_t *state, const int16_t *gains_q15, const int16_t *strengths_q15,
                         int post_filter, int32_t *out_q8) {
    pn_frame_synthesise_hop(state, 0, gains_q15, strengths_q15, post_filter, out_q8);
}
