/*
 * Cost of a frame and of its stages, back to back (burst mode), in the port's unit: time, or
 * instructions on emulators. Where PN_PACED says so, then frames and packets at their own pace, for
 * as many seconds each as PN_ROUNDS says.
 *
 * `pitch` and `comb` are part of `analyse`, run once more by themselves; `frame` is the whole
 * through the public API.
 */
#include "pn_app.h"
#include "pn_rounds.h"

#define FRAMES 100
#define WARM_UP 10

enum { ANALYSE, PITCH, COMB, NETWORK, SYNTHESISE, FRAME, STAGES };

static const char *const stage_names[STAGES] = {"analyse", "pitch",      "comb",
                                                "network", "synthesise", "frame"};

static pn_app_parts_t memory;
static pn_pitch_t pitch;
static int32_t comb[PN_WINDOW];
static uint32_t costs[STAGES][FRAMES];
static pn_rounds_t rounds;
static uint32_t clock_cost;

/* Time since `start` without what reading the clock takes; 0 where that is all there was. */
static uint32_t since(uint64_t start) {
    const uint64_t passed = pn_port_now() - start;
    return passed > clock_cost ? (uint32_t)(passed - clock_cost) : 0;
}

static void start_stages(const char *isa) {
    pn_app_start_parts(&memory, isa);
    pn_pitch_init(&pitch, pn_rate_find(48000));
}

/* The stages one by one. Returns the CRC of the output, continued from `crc`. */
static uint32_t run_stages(const int16_t *pcm, uint32_t *cost, uint32_t crc) {
    pn_frame_t *const frame = &memory.parts.frame;
    int16_t features_q12[PN_FEATURES], gains_q15[PN_BANDS], strengths_q15[PN_BANDS];
    int32_t out_q8[PN_HOP];
    uint64_t start = pn_port_now();
    pn_frame_analyse(frame, pcm, features_q12);
    cost[ANALYSE] = since(start);
    start = pn_port_now();
    const pn_pitch_estimate_t estimate = pn_pitch_push(&pitch, frame->history);
    cost[PITCH] = since(start);
    start = pn_port_now();
    pn_comb_filter(frame->dsp.kernels, frame->history, frame->dsp.rate->hop, estimate.period, comb);
    cost[COMB] = since(start);
    start = pn_port_now();
    pn_nn_step(&pn_model, memory.parts.network, features_q12, gains_q15, strengths_q15);
    cost[NETWORK] = since(start);
    start = pn_port_now();
    pn_frame_synthesise(frame, gains_q15, strengths_q15, pn_model.post_filter, out_q8);
    cost[SYNTHESISE] = since(start);
    return pn_app_crc(crc, out_q8, sizeof out_q8);
}

/* Cost of a frame of a whole denoiser. Returns the CRC of its output. */
static uint32_t measure_frames(pn_state_t *state) {
    uint32_t seed = 1, crc = PN_APP_CRC_START;
    for (uint32_t i = 0; i < WARM_UP + FRAMES; i++) {
        int16_t pcm[PN_MAX_FRAME_SAMPLES];
        pn_app_signal(PN_APP_VOICE, i, &seed, pcm);
        const uint64_t start = pn_port_now();
        pn_process(state, pcm, pcm);
        const uint32_t cost = since(start);
        crc = pn_app_crc(crc, pcm, sizeof pcm);
        if (i >= WARM_UP)
            costs[FRAME][i - WARM_UP] = cost;
    }
    return crc;
}

/* Cost of each stage over the same signal. Returns the CRC of the output. */
static uint32_t measure_stages(void) {
    uint32_t seed = 1, crc = PN_APP_CRC_START;
    for (uint32_t i = 0; i < WARM_UP + FRAMES; i++) {
        uint32_t cost[FRAME];
        int16_t pcm[PN_MAX_FRAME_SAMPLES];
        pn_app_signal(PN_APP_VOICE, i, &seed, pcm);
        crc = run_stages(pcm, cost, crc);
        for (int stage = 0; stage < FRAME && i >= WARM_UP; stage++)
            costs[stage][i - WARM_UP] = cost[stage];
    }
    return crc;
}

/* The costs of whole frames, in their order. */
static void write_costs(void) {
    pn_port_text("PN_COSTS name=frame mode=burst unit=%s costs=%lu", pn_port_unit(),
                 (unsigned long)costs[FRAME][0]);
    for (uint32_t i = 1; i < FRAMES; i++)
        pn_port_text(",%lu", (unsigned long)costs[FRAME][i]);
    pn_port_text("\n");
}

static void measure_burst(pn_state_t *state) {
    const char *const isa = pn_isa(state); /* outlives the state, which the stages overwrite */
    const uint32_t frame_crc = measure_frames(state);
    write_costs();
    start_stages(isa);
    const uint32_t stages_crc = measure_stages();
    for (int stage = 0; stage < STAGES; stage++)
        pn_app_bench_line(stage_names[stage], costs[stage], FRAMES,
                          stage == FRAME ? frame_crc : stages_crc);
}

/* Returns how many rounds were bad. */
static uint32_t measure_paced(void) {
    const uint32_t seconds = pn_app_number("PN_ROUNDS", 10);
    pn_state_t *const state = pn_app_start(&memory.whole, pn_port_env("PN_FORCE_ISA"));
    return pn_rounds_measure(&rounds, &pn_round_frame, state, seconds) +
           pn_rounds_measure(&rounds, &pn_round_packet, state, seconds);
}

int main(void) {
    pn_state_t *const state = pn_app_start(&memory.whole, pn_port_env("PN_FORCE_ISA"));
    pn_app_boot(pn_isa(state));
    pn_port_line("PN_CLOCK source=%s", pn_port_clock());
    clock_cost = pn_rounds_clock_cost();
    measure_burst(state);
    return pn_app_done(pn_rounds_are_paced() && measure_paced() != 0);
}
