/*
 * The signal path over signals that provoke overflow: with the trapping vocabulary any overflow
 * ends the program. Features and output must be, to the bit, those of every other machine and of
 * every release before: who changes them on purpose changes the checksums below.
 */
#include "pn_frame.h"
#include "pn_port.h"
#include "pn_voice.h"

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

static uint32_t crc32(uint32_t crc, const void *data, size_t bytes) {
    const uint8_t *const byte = data;
    crc = ~crc;
    for (size_t i = 0; i < bytes * 8; i++) {
        const uint32_t bit = (uint32_t)byte[i / 8] >> (i % 8) & 1u;
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

/* Runs HOPS hops; returns the CRC of features, voice and output, and the output's largest
 * magnitude. */
static uint32_t run(signal_t *signal, int rate_hz, int post_filter, int32_t *largest) {
    static int32_t pcm_q8[PN_HOP], out_q8[PN_HOP];
    int16_t features_q12[PN_FEATURES], gains_q15[PN_BANDS], strengths_q15[PN_BANDS];
    const int samples = rate_hz / 100;
    pn_voice_t voice;
    uint32_t crc = 0;
    *largest = 0;
    random_state = 7;
    pn_frame_init(&state, pn_rate_find(rate_hz));
    pn_voice_init(&voice);
    for (int hop = 0; hop < HOPS; hop++) {
        for (int n = 0; n < samples; n++)
            pcm_q8[n] = signal(hop * samples + n) * 256;
        pn_frame_analyse_q8(&state, pcm_q8, features_q12);
        random_gains(gains_q15, hop);
        random_gains(strengths_q15, hop + 3);
        pn_voice_update(&voice, pn_frame_energies(&state, 0), gains_q15,
                        pn_frame_pending(&state, 0)->estimate);
        pn_frame_synthesise(&state, gains_q15, strengths_q15, post_filter, out_q8);
        crc = crc32(crc, features_q12, sizeof features_q12);
        crc = crc32(crc, &voice.probability_q15, sizeof voice.probability_q15);
        crc = crc32(crc, out_q8, (size_t)samples * sizeof *out_q8);
        for (int n = 0; n < samples; n++)
            *largest = out_q8[n] > *largest    ? out_q8[n]
                       : -out_q8[n] > *largest ? -out_q8[n]
                                               : *largest;
    }
    return crc;
}

/* A signal, the largest output that it may have, and its checksums without and with post-filter. */
typedef struct {
    const char *name;
    signal_t *signal;
    int rate_hz;
    int32_t limit;
    uint32_t crc[2];
} case_t;

static const case_t cases[] = {
    {"silence", silence, 48000, 0, {0x096f2f47, 0x096f2f47}},
    {"square", square, 48000, 4 << 23, {0x512185c4, 0x99fb3b37}},
    {"alternating", alternating, 48000, 4 << 23, {0x14e7abda, 0x29dc387f}},
    {"random_bits", random_bits, 48000, 4 << 23, {0xcaf4dca0, 0x9720694d}},
    {"quiet_noise", quiet_noise, 48000, 64 << 8, {0x30d37c47, 0xe02e4cdf}},
    {"bursts", bursts, 48000, 4 << 23, {0xe2871246, 0x0f4c5049}},
    {"offset", offset, 48000, 4 << 23, {0x4e38bd21, 0x972c77c5}},
    {"bursts_at_8_kHz", bursts, 8000, 4 << 23, {0x19ab1f63, 0xf4e8bb7e}},
    {"bursts_at_16_kHz", bursts, 16000, 4 << 23, {0x33366ec4, 0x40800f55}},
    {"bursts_at_24_kHz", bursts, 24000, 4 << 23, {0xde814a23, 0x050a4e51}},
    {"square_at_32_kHz", square, 32000, 4 << 23, {0x795b4238, 0x02aecb6f}},
};

static void check(const case_t *test) {
    for (int post_filter = 0; post_filter < 2; post_filter++) {
        int32_t largest;
        const uint32_t crc = run(test->signal, test->rate_hz, post_filter, &largest);
        const int passed = largest <= test->limit && crc == test->crc[post_filter];
        pn_port_line("PN_TEST name=frame_%s%s result=%s crc=%08x", test->name,
                     post_filter ? "_post" : "", passed ? "pass" : "fail", (unsigned)crc);
        failures += !passed;
    }
}

int main(void) {
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check(&cases[i]);
    pn_port_line("PN_DONE bad=%d", failures);
    pn_port_exit(failures != 0);
}
