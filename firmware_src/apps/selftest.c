/*
 * Self-test: the network against the golden vectors of the integer reference, and the whole
 * denoiser over signals that are hard on fixed point, each with the CRC of its output.
 *
 * On the machine itself the instruction set in use must give the scalar code's bytes; whoever reads
 * the lines compares the CRCs with those of another machine.
 */
#include "pn_app.h"

#include <string.h>

#include "pn_nn.h"

#define FRAMES 50

static pn_app_memory_t memory;

/* Denoise FRAMES of a signal from a fresh start. Returns the CRC of the output. */
static uint32_t output_crc(pn_app_signal_t signal, const char *isa) {
    pn_state_t *const state = pn_app_start(&memory, isa);
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

/* The network alone, with one instruction set, against what the integer reference makes of the same
 * features. */
static int test_golden(const char *isa) {
    int16_t gains_q15[PN_NN_BANDS], strengths_q15[PN_NN_BANDS];
    uint32_t crc = PN_APP_CRC_START;
    int bad = 0;
    if (pn_nn_state_size(&pn_model) > sizeof memory.bytes)
        pn_port_fault("memory", "network_state_too_large");
    pn_nn_reset(&pn_model, memory.bytes);
    if (pn_nn_use_isa(&pn_model, memory.bytes, isa) != PN_OK)
        pn_port_fault("isa", isa);
    for (int step = 0; step < PN_MODEL_GOLDEN_STEPS; step++) {
        pn_nn_step(&pn_model, memory.bytes, pn_model_golden_features_q12[step], gains_q15,
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
    const char *const isa = pn_isa(pn_app_start(&memory, pn_port_env("PN_FORCE_ISA")));
    pn_app_boot(isa);
    int bad = test_golden(isa);
    for (int signal = 0; signal < PN_APP_SIGNALS; signal++)
        bad += test_signal((pn_app_signal_t)signal, isa);
    return pn_app_done(bad);
}
