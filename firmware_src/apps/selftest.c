/*
 * Self-test: the whole denoiser over signals that are hard on fixed point, each with the CRC of its output.
 *
 * On the machine itself every instruction set must give the scalar code's bytes; whoever reads the lines compares the
 * CRCs with those of another machine.
 */
#include "pn_app.h"

#define FRAMES 50

static pn_app_memory_t memory;

/* Denoise FRAMES of a signal from a fresh start. Returns the CRC of the output. */
static uint32_t output_crc(pn_app_signal_t signal, const char *isa) {
    pn_state_t *const state = pn_app_start(&memory, isa);
    uint32_t crc = PN_APP_CRC_START;
    uint32_t seed = 1;
    for (uint32_t frame = 0; frame < FRAMES; frame++) {
        int16_t pcm[PN_FRAME_SAMPLES];
        pn_app_signal(signal, frame, &seed, pcm);
        pn_process(state, pcm, pcm);
        crc = pn_app_crc(crc, pcm, sizeof pcm);
    }
    return crc;
}

static int test_signal(pn_app_signal_t signal, const char *isa) {
    const uint32_t crc = output_crc(signal, isa);
    const int bad = crc != output_crc(signal, "scalar");
    pn_port_line("PN_TEST name=%s result=%s crc=%08lx frames=%d", pn_app_signal_names[signal], bad ? "fail" : "pass",
                 (unsigned long)crc, FRAMES);
    return bad;
}

int main(void) {
    const char *const isa = pn_port_env("PN_FORCE_ISA");
    int bad = 0;
    pn_app_boot(pn_isa(pn_app_start(&memory, isa)));
    for (int signal = 0; signal < PN_APP_SIGNALS; signal++)
        bad += test_signal((pn_app_signal_t)signal, isa);
    return pn_app_done(bad);
}
