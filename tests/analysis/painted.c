/*
 * How much stack calls of the library take here: the stack is painted, and what a call wrote over is
 * counted, less what a call of nothing takes. One line for each instruction set of this processor.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "percepnet.h"
#include "pn_dispatch.h"
#include "pn_model.h"

#define PAINT 0xa5a5a5a5u
#define PAINTED_WORDS (1u << 14)
#define PACKETS 60

static pn_state_t *state;
static int16_t pcm[2 * PN_MAX_FRAME_SAMPLES];
static float samples[PN_MAX_FRAME_SAMPLES];
static const char *isa;
static volatile uintptr_t painted;

static void nothing(void) {}

static void init(void) {
    if (pn_init(state, 48000, isa) != PN_OK)
        abort();
}

static void reset(void) {
    pn_reset(state);
}

static void process(void) {
    pn_process(state, pcm, pcm);
}

static void process_float(void) {
    pn_process_float(state, samples, samples);
}

static void process_packet(void) {
    pn_process_packet(state, pcm, pcm);
}

static __attribute__((noinline)) void paint(void) {
    volatile uint32_t words[PAINTED_WORDS];
    for (size_t i = 0; i < PAINTED_WORDS; i++)
        words[i] = PAINT;
    painted = (uintptr_t)words;
}

static __attribute__((noinline)) size_t taken(void (*volatile call)(void)) {
    paint();
    call();
    const volatile uint32_t *const words = (const volatile uint32_t *)painted;
    size_t untouched = 0;
    while (untouched < PAINTED_WORDS && words[untouched] == PAINT)
        untouched++;
    return (PAINTED_WORDS - untouched) * sizeof *words;
}

static void make_sound(void) {
    for (size_t i = 0; i < 2 * PN_MAX_FRAME_SAMPLES; i++)
        pcm[i] = (int16_t)(rand() % 20000 - 10000);
    for (size_t i = 0; i < PN_MAX_FRAME_SAMPLES; i++)
        samples[i] = (float)pcm[i] / 32768;
}

int main(void) {
    static void (*const calls[])(void) = {init, reset, process, process_float, process_packet};
    state = aligned_alloc(PN_STATE_ALIGNMENT,
                          (pn_state_size() + PN_STATE_ALIGNMENT - 1) & ~(PN_STATE_ALIGNMENT - 1ul));
    for (size_t i = 0; (isa = pn_dispatch_isa(i)); i++) {
        size_t most = 0;
        for (int packet = 0; packet < PACKETS; packet++)
            for (size_t call = 0; call < sizeof calls / sizeof *calls; call++) {
                if (packet && call < 2) /* the state is made, and forgets, once */
                    continue;
                make_sound();
                const size_t bytes = taken(calls[call]);
                most = bytes > most ? bytes : most;
            }
        printf("%s %zu\n", isa, most - taken(nothing));
    }
    return 0;
}
