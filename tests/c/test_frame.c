/*
 * The signal path over signals that provoke overflow: with the trapping vocabulary any overflow
 * ends the program. The CRC of each output is printed, so that machines can be compared.
 */
#include "pn_frame.h"
#include "pn_port.h"

#define HOPS 60

typedef int32_t signal_t(int n);

static pn_frame_t state;
static int failures;
static uint32_t random_state;

static int32_t random_word(void) {
    random_state = random_state * 1664525u + 1013904223u;
    return (int32_t)(random_state ^ (random_state >> 16));
}

static int32_t silence(int n) {
    (void)n;
    return 0;
}

static int32_t square(int n) {
    return (n / 240) % 2 ? 32767 : -32768;
}

static int32_t alternating(int n) {
    return n % 2 ? 32767 : -32768;
}

static int32_t random_bits(int n) {
    (void)n;
    return (int16_t)random_word();
}

static int32_t quiet_noise(int n) {
    (void)n;
    return random_word() >> 29;
}

static int32_t bursts(int n) {
    return (n / 4800) % 2 ? (int16_t)random_word() : random_word() >> 31;
}

static int32_t offset(int n) {
    (void)n;
    return -32768;
}

static uint32_t crc32(uint32_t crc, const int32_t *words, size_t count) {
    crc = ~crc;
    for (size_t i = 0; i < count * 32; i++) {
        const uint32_t bit = (uint32_t)words[i / 32] >> (i % 32) & 1u;
        crc = crc >> 1 ^ (0xedb88320u & (0u - ((crc ^ bit) & 1u)));
    }
    return ~crc;
}

static void random_gains(int16_t *gains_q15, int hop) {
    for (int band = 0; band < PN_BANDS; band++) /* now and then all the way open or shut */
        gains_q15[band] = (int16_t)(hop % 7 == 0   ? 32767
                                    : hop % 5 == 0 ? 0
                                                   : random_word() & 32767);
}

/* Runs HOPS hops; returns the CRC of the output and its largest magnitude. */
static uint32_t run(signal_t *signal, int post_filter, int32_t *largest) {
    static int32_t pcm_q8[PN_HOP], out_q8[PN_HOP];
    int16_t features_q12[PN_FEATURES], gains_q15[PN_BANDS], strengths_q15[PN_BANDS];
    uint32_t crc = 0;
    *largest = 0;
    random_state = 7;
    pn_frame_init(&state, pn_rate_find(48000));
    for (int hop = 0; hop < HOPS; hop++) {
        for (int n = 0; n < PN_HOP; n++)
            pcm_q8[n] = signal(hop * PN_HOP + n) * 256;
        pn_frame_analyse_q8(&state, pcm_q8, features_q12);
        random_gains(gains_q15, hop);
        random_gains(strengths_q15, hop + 3);
        pn_frame_synthesise(&state, gains_q15, strengths_q15, post_filter, out_q8);
        crc = crc32(crc, out_q8, PN_HOP);
        for (int n = 0; n < PN_HOP; n++)
            *largest = out_q8[n] > *largest    ? out_q8[n]
                       : -out_q8[n] > *largest ? -out_q8[n]
                                               : *largest;
    }
    return crc;
}

static void check(const char *name, signal_t *signal, int32_t limit) {
    for (int post_filter = 0; post_filter < 2; post_filter++) {
        int32_t largest;
        const uint32_t crc = run(signal, post_filter, &largest);
        const int passed = largest <= limit;
        pn_port_line("PN_TEST name=frame_%s%s result=%s crc=%08x", name, post_filter ? "_post" : "",
                     passed ? "pass" : "fail", (unsigned)crc);
        failures += !passed;
    }
}

int main(void) {
    check("silence", silence, 0);
    check("square", square, 4 << 23);
    check("alternating", alternating, 4 << 23);
    check("random_bits", random_bits, 4 << 23);
    check("quiet_noise", quiet_noise, 64 << 8);
    check("bursts", bursts, 4 << 23);
    check("offset", offset, 4 << 23);
    pn_port_line("PN_DONE bad=%d", failures);
    pn_port_exit(failures != 0);
}
