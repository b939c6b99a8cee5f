/*
 * Rounds: one second of sound from a fresh start, over and over. Each call is paced, one when its
 * sound would be there, or follows the one before (burst). All rounds must give the same bytes: a
 * bit that flips when the chip gets hot shows.
 */
#ifndef PN_ROUNDS_H
#define PN_ROUNDS_H

#include <string.h>

#include "pn_app.h"
#include "pn_histogram.h"

#define PN_ROUND_FRAMES 100u
#define PN_ROUND_FRAME_NS 10000000u

/* What is called: a frame of 10 ms, or a packet of two. */
typedef struct {
    const char *name;
    uint32_t hops;
    void (*process)(pn_state_t *state, const int16_t *in, int16_t *out);
} pn_round_call_t;

static const pn_round_call_t pn_round_frame = {"frame", 1, pn_process};
static const pn_round_call_t pn_round_packet = {"packet", 2, pn_process_packet};

/* late: how long after its sound was there a call began. missed: calls that ended after the next
 * one's sound was there. preempted: calls in which others had the processor. */
typedef struct {
    const pn_round_call_t *call;
    int paced;
    uint32_t clock_cost, missed, preempted, late_most;
    uint64_t due;
    uint32_t costs[PN_ROUND_FRAMES];
    pn_histogram_t histogram;
} pn_rounds_t;

/* What reading the clock twice takes at least. */
static inline uint32_t pn_rounds_clock_cost(void) {
    uint64_t least = UINT32_MAX;
    for (int i = 0; i < 100; i++) {
        const uint64_t start = pn_port_now(), passed = pn_port_now() - start;
        least = passed < least ? passed : least;
    }
    return (uint32_t)least;
}

/* Paced where the setting PN_PACED says so and the port's clock is the world's. */
static inline int pn_rounds_are_paced(void) {
    const char *const setting = pn_port_env("PN_PACED");
    return setting && setting[0] == '1' && pn_port_unit()[0] == 'n';
}

static inline const char *pn_rounds_mode(const pn_rounds_t *rounds) {
    return rounds->paced ? "paced" : "burst";
}

/* Wait for the sound of a call, where calls are paced. */
static inline void pn_rounds_wait(pn_rounds_t *rounds) {
    if (!rounds->paced)
        return;
    pn_port_wait_until(rounds->due);
    const uint64_t late = pn_port_now() - rounds->due;
    rounds->late_most = late > rounds->late_most ? (uint32_t)late : rounds->late_most;
}

/* A call that ended too late starts a new pace: it is one that was missed, not all that follow. */
static inline void pn_rounds_next(pn_rounds_t *rounds, uint64_t end) {
    rounds->due += (uint64_t)rounds->call->hops * PN_ROUND_FRAME_NS;
    if (rounds->paced && end > rounds->due) {
        rounds->missed++;
        rounds->due = end;
    }
}

/* One call, its cost into costs[index]. Returns the CRC of the output, continued from `crc`. */
static inline uint32_t pn_rounds_call(pn_rounds_t *rounds, pn_state_t *state, uint32_t index,
                                      uint32_t *seed, uint32_t crc) {
    int16_t pcm[2 * PN_MAX_FRAME_SAMPLES];
    const uint32_t hops = rounds->call->hops;
    const size_t samples = (size_t)pn_frame_samples(state);
    for (uint32_t hop = 0; hop < hops; hop++)
        pn_app_signal(PN_APP_VOICE, index * hops + hop, seed, pcm + hop * samples);
    pn_rounds_wait(rounds);
    const uint64_t others = pn_port_preemptions(), start = pn_port_now();
    rounds->call->process(state, pcm, pcm);
    const uint64_t end = pn_port_now(), passed = end - start;
    rounds->preempted += pn_port_preemptions() != others;
    pn_rounds_next(rounds, end);
    rounds->costs[index] =
        passed > rounds->clock_cost ? (uint32_t)(passed - rounds->clock_cost) : 0;
    return pn_app_crc(crc, pcm, hops * samples * sizeof *pcm);
}

/* One round and its line. Returns the CRC of its output. */
static inline uint32_t pn_rounds_run(pn_rounds_t *rounds, pn_state_t *state) {
    const uint32_t calls = PN_ROUND_FRAMES / rounds->call->hops, missed = rounds->missed;
    const char *const unit = pn_port_unit();
    uint32_t seed = 1, crc = PN_APP_CRC_START;
    pn_reset(state);
    const uint64_t now = pn_port_now(); /* a line may take longer than the pause between frames */
    rounds->due = now > rounds->due ? now : rounds->due;
    for (uint32_t i = 0; i < calls; i++)
        crc = pn_rounds_call(rounds, state, i, &seed, crc);
    for (uint32_t i = 0; i < calls; i++)
        pn_histogram_add(&rounds->histogram, rounds->costs[i]);
    pn_app_sort(rounds->costs, calls);
    pn_port_line("PN_ROUND name=%s mode=%s n=%lu p50_%s=%lu max_%s=%lu missed=%lu crc=%08lx",
                 rounds->call->name, pn_rounds_mode(rounds), (unsigned long)calls, unit,
                 (unsigned long)rounds->costs[calls / 2], unit,
                 (unsigned long)rounds->costs[calls - 1], (unsigned long)(rounds->missed - missed),
                 (unsigned long)crc);
    return crc;
}

/* The lines of a measurement: its figures, and how often each cost occurred. */
static inline void pn_rounds_lines(const pn_rounds_t *rounds, uint32_t crc) {
    const pn_histogram_t *const histogram = &rounds->histogram;
    const char *const unit = pn_port_unit(), *const mode = pn_rounds_mode(rounds);
    pn_port_text("PN_BENCH name=%s mode=%s n=%lu mean_%s=%llu", rounds->call->name, mode,
                 (unsigned long)histogram->total, unit,
                 (unsigned long long)(histogram->sum / histogram->total));
    pn_port_text(" p50_%s=%lu p99_%s=%lu p999_%s=%lu max_%s=%lu", unit,
                 (unsigned long)pn_histogram_quantile(histogram, 500), unit,
                 (unsigned long)pn_histogram_quantile(histogram, 990), unit,
                 (unsigned long)pn_histogram_quantile(histogram, 999), unit,
                 (unsigned long)histogram->most);
    if (rounds->paced)
        pn_port_text(" period_ns=%lu missed=%lu preempted=%lu late_max_ns=%lu",
                     (unsigned long)rounds->call->hops * PN_ROUND_FRAME_NS,
                     (unsigned long)rounds->missed, (unsigned long)rounds->preempted,
                     (unsigned long)rounds->late_most);
    pn_port_line(" out_crc=%08lx", (unsigned long)crc);
    pn_histogram_line(histogram, rounds->call->name, mode);
}

/* `count` rounds, at least one, and what they cost. Returns how many gave other bytes than the
 * first. */
static inline uint32_t pn_rounds_measure(pn_rounds_t *rounds, const pn_round_call_t *call,
                                         pn_state_t *state, uint32_t count) {
    memset(rounds, 0, sizeof *rounds);
    rounds->call = call;
    rounds->paced = pn_rounds_are_paced();
    rounds->clock_cost = pn_rounds_clock_cost();
    const uint32_t crc = pn_rounds_run(rounds, state);
    uint32_t different = 0;
    for (uint32_t round = 1; round < count; round++)
        different += pn_rounds_run(rounds, state) != crc;
    pn_rounds_lines(rounds, crc);
    pn_port_line("PN_TEST name=rounds_of_%ss result=%s rounds=%lu different=%lu", call->name,
                 different ? "fail" : "pass", (unsigned long)count, (unsigned long)different);
    return different;
}

#endif
