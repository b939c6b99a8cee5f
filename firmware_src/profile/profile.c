/*
 * Cost of a frame by region (pn_probe.h), back to back, in the port's unit. Built in the variant
 * `profile` alone.
 *
 * An emulator that counts instructions from outside sees those of all frames, PN_PROFILE of them:
 * nothing else enters a region.
 */
#include "pn_app.h"
#include "pn_profile.h"

#define FRAMES 100
#define WARM_UP 10

static pn_app_memory_t memory;
static uint32_t costs[PN_PROBE_COUNT][FRAMES];

/* One frame: its cost by region. Returns the CRC of the output, continued from `crc`. */
static uint32_t run_frame(pn_state_t *state, uint32_t index, uint32_t *seed, uint32_t *cost,
                          uint32_t crc) {
    int16_t pcm[PN_MAX_FRAME_SAMPLES];
    pn_app_signal(PN_APP_VOICE, index, seed, pcm);
    pn_probe_clear();
    pn_process(state, pcm, pcm);
    for (size_t region = 0; region < PN_PROBE_COUNT; region++)
        cost[region] = (uint32_t)pn_probe_spent[region];
    return pn_app_crc(crc, pcm, sizeof pcm);
}

int main(void) {
    pn_state_t *const state = pn_app_start(&memory, pn_port_env("PN_FORCE_ISA"));
    uint32_t seed = 1, crc = PN_APP_CRC_START, cost[PN_PROBE_COUNT];
    pn_app_boot(pn_isa(state));
    pn_probe_calibrate();
    for (uint32_t i = 0; i < WARM_UP + FRAMES; i++) {
        crc = run_frame(state, i, &seed, cost, crc);
        for (size_t region = 0; region < PN_PROBE_COUNT && i >= WARM_UP; region++)
            costs[region][i - WARM_UP] = cost[region];
    }
    for (size_t region = PN_PROBE_OUTSIDE + 1; region < PN_PROBE_COUNT; region++)
        pn_app_bench_line(pn_probe_name(region), costs[region], FRAMES, crc);
    pn_port_line("PN_PROFILE frames=%d", WARM_UP + FRAMES);
    return pn_app_done(0);
}
