/* The pitch tracker on signals of known period, and on ones that provoke overflow. */
#include <string.h>

#include "pn_fixed.h"
#include "pn_pitch.h"
#include "pn_port.h"

enum { HOP = 480, HOPS = 20, FULL_SCALE = (1 << 25) - 1 };

static int32_t signal[PN_PITCH_HISTORY - HOP + HOPS * HOP]; /* silence, then the test signal */
static int32_t *const start = signal + PN_PITCH_HISTORY - HOP;
static pn_pitch_t tracker;
static int failures;
static uint32_t random_state = 1;

static void report(const char *name, int passed) {
    pn_port_line("PN_TEST name=%s result=%s", name, passed ? "pass" : "fail");
    failures += !passed;
}

static int32_t random_word(void) {
    random_state = random_state * 1664525u + 1013904223u;
    return (int32_t)(random_state ^ (random_state >> 16));
}

static pn_pitch_estimate_t run(int hops) {
    pn_pitch_estimate_t estimate = {0, 0};
    pn_pitch_init(&tracker, pn_rate_find(48000));
    for (int t = 0; t < hops; t++)
        estimate = pn_pitch_push(&tracker, signal + t * HOP);
    return estimate;
}

static int is_near(pn_pitch_estimate_t estimate, int period, int tolerance, int correlation_q15) {
    if (pn_abs32(estimate.period - period) <= tolerance &&
        estimate.correlation_q15 >= correlation_q15)
        return 1;
    pn_port_line("period %d for %d, correlation %d", estimate.period, period,
                 estimate.correlation_q15);
    return 0;
}

static void test_pulse_trains(void) {
    static const int periods[] = {60, 61, 97, 240, 441, 600, 768};
    int passed = 1;
    for (size_t i = 0; i < sizeof periods / sizeof *periods; i++) {
        for (int n = 0; n < HOPS * HOP; n++)
            start[n] = n % periods[i] < 12 ? 1 << 21 : -(1 << 17);
        passed &= is_near(run(HOPS), periods[i], 0, 32760);
    }
    report("pitch_of_pulse_trains", passed);
}

/* Every other pulse is a little weaker: twice the period correlates best, and is not the pitch. */
static void test_octave(void) {
    int passed = 1;
    for (int period = 80; period <= 380; period += 75) {
        for (int n = 0; n < HOPS * HOP; n++)
            start[n] = n % period < 12 ? (n / period % 2 ? 1 << 21 : 1900000) : -(1 << 17);
        passed &= is_near(run(HOPS), period, 0, 32000);
    }
    report("pitch_of_uneven_pulses_is_not_an_octave_low", passed);
}

/* A sine without the math library: a rotation by the angle 2 pi / period per sample. */
static void make_sine(int32_t cos_q30, int32_t sin_q30) {
    int64_t re = 1 << 22, im = 0;
    for (int n = 0; n < HOPS * HOP; n++) {
        const int64_t next = (re * cos_q30 - im * sin_q30 + (1 << 29)) >> 30;
        im = (re * sin_q30 + im * cos_q30 + (1 << 29)) >> 30;
        re = next;
        start[n] = (int32_t)im;
    }
}

static void test_sines(void) {
    make_sine(1068571464, 105245103); /* period 64 */
    const int high = is_near(run(HOPS), 64, 1, 32600);
    make_sine(1073506335, 22486752); /* period 300 */
    const int low = is_near(run(HOPS), 300, 1, 32700);
    report("pitch_of_sines", high && low);
}

static void test_silence(void) {
    memset(signal, 0, sizeof signal);
    report("pitch_of_silence_is_the_initial_one",
           is_near(run(HOPS), PN_PITCH_INITIAL, 0, 0) && run(HOPS).correlation_q15 == 0);
    for (int n = 0; n < HOPS / 2 * HOP; n++)
        start[n] = n % 201 < 12 ? 1 << 21 : -(1 << 17);
    const pn_pitch_estimate_t estimate = run(HOPS);
    report("pitch_is_kept_in_silence",
           is_near(estimate, 201, 0, 0) && estimate.correlation_q15 == 0);
}

static void test_full_scale(void) {
    for (int n = 0; n < HOPS * HOP; n++)
        start[n] = n % 200 < 100 ? FULL_SCALE : -FULL_SCALE;
    report("pitch_of_full_scale_square", is_near(run(HOPS), 200, 0, 32760));
    int in_range = 1;
    for (int n = 0; n < HOPS * HOP; n++)
        start[n] = random_word() < 0 ? FULL_SCALE : -FULL_SCALE;
    for (int hops = 1; hops <= HOPS; hops++) {
        const pn_pitch_estimate_t estimate = run(hops);
        in_range &= estimate.period >= PN_PITCH_MIN && estimate.period <= PN_PITCH_MAX &&
                    estimate.correlation_q15 < 16384;
    }
    report("pitch_of_full_scale_noise_is_weak", in_range);
    for (int n = 0; n < HOPS * HOP; n++)
        start[n] = -FULL_SCALE;
    run(HOPS);
    report("pitch_of_full_scale_constant_does_not_overflow", 1);
}

/* Neither a burst after silence nor near-silence after a burst may upset the scales of the hops. */
static void test_level(void) {
    pn_pitch_estimate_t estimates[3];
    for (int level = 0; level < 3; level++) {
        random_state = 1;
        for (int n = 0; n < HOPS * HOP; n++)
            start[n] =
                ((n % 333 < 12 ? 1 << 14 : -(1 << 9)) + (random_word() >> 20)) * (1 << 5 * level);
        estimates[level] = run(HOPS);
    }
    report("pitch_is_independent_of_level",
           is_near(estimates[0], 333, 0, 16384) &&
               !memcmp(&estimates[1], &estimates[2], sizeof *estimates) &&
               is_near(estimates[0], estimates[1].period, 0, estimates[1].correlation_q15 - 32));
    for (int n = 0; n < HOPS * HOP; n++)
        start[n] = (n % 333 < 12 ? 1 << 11 : -(1 << 6)) * (n < HOPS / 2 * HOP ? 1 << 13 : 1);
    report("pitch_survives_a_fall_of_78_dB", is_near(run(HOPS), 333, 0, 32700));
}

int main(void) {
    test_pulse_trains();
    test_octave();
    test_sines();
    test_silence();
    test_full_scale();
    test_level();
    pn_port_line("PN_DONE bad=%d", failures);
    pn_port_exit(failures != 0);
}
