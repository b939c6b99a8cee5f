/*
 * Self-test: the network against the golden vectors of the integer reference, the stages of a frame
 * one by one, and the whole denoiser over signals that are hard on fixed point, each with the CRC
 * of its output.
 *
 * On the machine itself the instruction set in use must give the scalar code's bytes; whoever reads
 * the lines compares the CRCs with those of another machine.
 */
#include "pn_app.h"

#include <string.h>

#define FRAMES 50

enum { FEATURES, PITCH, COMB, NETWORK, SYNTHESIS, STAGES };

static const char *const stage_names[STAGES] = {"features", "pitch", "comb", "network",
                                                "synthesis"};

static pn_app_parts_t memory;

/* Denoise FRAMES of a signal from a fresh start. Returns the CRC of the output. */
static uint32_t output_crc(pn_app_signal_t signal, const char *isa) {
    pn_state_t *const state = pn_app_start(&memory.whole, isa);
    uint32_t crc = PN_APP_CRC_START;
    uint32_t seed = 1;
    for (uint32_t frame = 0; frame < FRAMES; frame++) {
        int16_t pcm[PN_MAX_FRAME_SAMPLES];
        pn_app_signal(signal, frame, &seed, pcm);
        pn_process(state, pcm, pcm);
        crc = pn_app_crc(crc, pcm, sizeof pcm);
    }
    return crc;
}

/* One frame; what each stage hands on goes into its CRC. */
static void run_stages(const int16_t *pcm, uint32_t *crcs) {
    pn_frame_t *const frame = &memory.parts.frame;
    const pn_pending_t *pending;
    int16_t features_q12[PN_FEATURES], gains_q15[PN_BANDS], strengths_q15[PN_BANDS];
    int32_t out_q8[PN_HOP];
    pn_frame_analyse(frame, pcm, features_q12);
    pending = pn_frame_pending(frame, 0);
    crcs[FEATURES] = pn_app_crc(crcs[FEATURES], features_q12, sizeof features_q12);
    crcs[PITCH] = pn_app_crc(crcs[PITCH], &pending->estimate, sizeof pending->estimate);
    crcs[COMB] = pn_app_crc(crcs[COMB], &pending->comb, sizeof pending->comb);
    pn_nn_step(&pn_model, memory.parts.network, features_q12, gains_q15, strengths_q15);
    crcs[NETWORK] = pn_app_crc(crcs[NETWORK], gains_q15, sizeof gains_q15);
    crcs[NETWORK] = pn_app_crc(crcs[NETWORK], strengths_q15, sizeof strengths_q15);
    pn_frame_synthesise(frame, gains_q15, strengths_q15, pn_model.post_filter, out_q8);
    crcs[SYNTHESIS] = pn_app_crc(crcs[SYNTHESIS], out_q8, sizeof out_q8);
}

static void stage_crcs(const char *isa, uint32_t *crcs) {
    uint32_t seed = 1;
    pn_app_start_parts(&memory, isa);
    for (int stage = 0; stage < STAGES; stage++)
        crcs[stage] = PN_APP_CRC_START;
    for (uint32_t i = 0; i < FRAMES; i++) {
        int16_t pcm[PN_MAX_FRAME_SAMPLES];
        pn_app_signal(PN_APP_VOICE, i, &seed, pcm);
        run_stages(pcm, crcs);
    }
}

/* The first stage that differs is the one at fault: each works on what those before it made. */
static int test_stages(const char *isa) {
    uint32_t found[STAGES], wanted[STAGES];
    int stage = 0;
    stage_crcs(isa, found);
    stage_crcs("scalar", wanted);
    while (stage < STAGES && found[stage] == wanted[stage])
        stage++;
    pn_port_text("PN_TEST name=stages result=%s crc=%08lx", stage < STAGES ? "fail" : "pass",
                 (unsigned long)pn_app_crc(PN_APP_CRC_START, found, sizeof found));
    if (stage < STAGES)
        pn_port_text(" at_fault=%s", stage_names[stage]);
    for (int i = 0; i < STAGES; i++)
        pn_port_text(" %s=%08lx", stage_names[i], (unsigned long)found[i]);
    pn_port_text("\n");
    return stage < STAGES;
}

/* The network alone, with one instruction set, against what the integer reference makes of the same
 * features. */
static int test_golden(const char *isa) {
    int16_t gains_q15[PN_NN_BANDS], strengths_q15[PN_NN_BANDS];
    uint32_t crc = PN_APP_CRC_START;
    int bad = 0;
    pn_app_start_parts(&memory, isa);
    for (int step = 0; step < PN_MODEL_GOLDEN_STEPS; step++) {
        pn_nn_step(&pn_model, memory.parts.network, pn_model_golden_features_q12[step], gains_q15,
                   strengths_q15);
        bad += memcmp(gains_q15, pn_model_golden_gains_q15[step], sizeof gains_q15) != 0;
        bad +=
            memcmp(strengths_q15, pn_model_golden_strengths_q15[step], sizeof strengths_q15) != 0;
        crc = pn_app_crc(pn_app_crc(crc, gains_q15, sizeof gains_q15), strengths_q15,
                         sizeof strengths_q15);
    }
    pn_port_line("PN_TEST name=golden result=%s crc=%08lx steps=%d", bad ? "fail" : "pass",
                 (unsigned long)crc, PN_MODEL_GOLDEN_STEPS);
    return bad != 0;
}

static int test_signal(pn_app_signal_t signal, const char *isa) {
    const uint32_t crc = output_crc(signal, isa);
    const int bad = crc != output_crc(signal, "scalar");
    pn_port_line("PN_TEST name=%s result=%s crc=%08lx frames=%d", pn_app_signal_names[signal],
                 bad ? "fail" : "pass", (unsigned long)crc, FRAMES);
    return bad;
}

int main(void) {
    const char *const isa = pn_isa(pn_app_start(&memory.whole, pn_port_env("PN_FORCE_ISA")));
    pn_app_boot(isa);
    int bad = test_golden(isa) + test_stages(isa);
    for (int signal = 0; signal < PN_APP_SIGNALS; signal++)
        bad += test_signal((pn_app_signal_t)signal, isa);
    return pn_app_done(bad);
}
