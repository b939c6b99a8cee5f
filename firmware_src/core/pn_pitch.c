/* Pitch: see pn_pitch.h. */
#include "pn_pitch.h"

#include <string.h>

#include "pn_fixed.h"

enum {
    SPAN = PN_PITCH_LAG_MAX + PN_PITCH_BLOCK,
    TAPS = 32,
    PHASE_LENGTH = PN_PITCH_BLOCK + TAPS / PN_PITCH_DECIMATION - 1,
    DECIMATOR_INPUT = PN_PITCH_DECIMATION * PHASE_LENGTH,
    FRAME = 960,
    FRAME_START = 960,
    REFINE_REACH = 4, /* 48 kHz samples */
    SAMPLE_BITS = 12, /* of a correlated sample's magnitude: see dot */
    ONE_Q12 = 1 << 12
};

/*
 * Tuned on 64 clips of male and female speech against pYIN, clean and at 10 dB in white and recorded noise
 * (tools/pitch_accuracy.py). The restart cost matters most: 6, as in LPCNet, loses 4 % of the noisy frames.
 */
enum {
    OCTAVE_RATIO_Q12 = 4506,  /* 1.1: by how much a lag must beat its half */
    OCTAVE_KEEP_Q12 = 3277,   /* 0.8: what is left of its score otherwise */
    OCTAVE_COST_Q12 = 41,     /* 0.01 per octave above the shortest lag */
    REACH = 4,                /* decimated lags that a path may move per frame */
    MOVE_COST_Q12 = 41,       /* 0.01 per squared lag */
    RESTART_COST_Q12 = 3277   /* 0.8 for leaving the best path for any lag */
};

/* Low-pass for decimation: -3.8 dB at 2 kHz, below -49 dB from 5 kHz. Q15; the magnitudes sum to 34520. */
static const int16_t low_pass_q15[TAPS] = {
    -54,  -64,  -82,  -97,  -93,  -47,  66,   266,  562, 951, 1412, 1909, 2396, 2821, 3136, 3304,
    3304, 3136, 2821, 2396, 1909, 1412, 951,  562,  266, 66,  -47,  -93,  -97,  -82,  -64,  -54,
};

/* Bits of the largest magnitude: all samples are in [-2^bits, 2^bits). */
static int magnitude_bits(const int32_t *samples, int count) {
    uint32_t seen = 0;
    for (int i = 0; i < count; i++)
        seen |= (uint32_t)(samples[i] ^ (samples[i] >> 31));
    return 32 - pn_clz32(seen);
}

/* Shift samples down so that they lie in [-2^bits, 2^bits); returns the shift. */
static int normalise(int16_t *out, const int32_t *samples, int count, int bits) {
    const int shift = pn_max32(magnitude_bits(samples, count) - bits, 0);
    for (int i = 0; i < count; i++)
        out[i] = (int16_t)(samples[i] >> shift);
    return shift;
}

/* Append the newest hop, low-passed, to the decimated signal. */
static void decimate(int32_t *decimated, const int32_t *history) {
    int16_t input[DECIMATOR_INPUT];
    int16_t phase[PN_PITCH_DECIMATION][PHASE_LENGTH];
    int32_t sum[PN_PITCH_BLOCK] = {0};
    const int shift = normalise(input, history + PN_PITCH_HISTORY - DECIMATOR_INPUT, DECIMATOR_INPUT, 15);
    for (int i = 0; i < DECIMATOR_INPUT; i++)
        phase[i % PN_PITCH_DECIMATION][i / PN_PITCH_DECIMATION] = input[i];
    /* |sum| <= 2^15 * 34520 < 2^31. */
    for (int k = 0; k < TAPS; k++) {
        const int16_t *x = phase[k % PN_PITCH_DECIMATION] + k / PN_PITCH_DECIMATION;
        const int16_t tap = low_pass_q15[k];
        for (int i = 0; i < PN_PITCH_BLOCK; i++)
            sum[i] += tap * x[i];
    }
    memmove(decimated, decimated + PN_PITCH_BLOCK, PN_PITCH_LAG_MAX * sizeof *decimated);
    /* |history| <= 2^25 makes shift <= 11. */
    for (int i = 0; i < PN_PITCH_BLOCK; i++)
        decimated[PN_PITCH_LAG_MAX + i] = pn_shrr32(sum[i], 15 - shift);
}

/* Sum of products over a block of samples in [-2^SAMPLE_BITS, 2^SAMPLE_BITS): at most 120 * 2^24 < 2^31. */
static int32_t dot(const int16_t *a, const int16_t *b) {
    int32_t sum = 0;
    for (int i = 0; i < PN_PITCH_BLOCK; i++)
        sum += a[i] * b[i];
    return sum;
}

/* Correlation and energy of the newest hop with its past, for every lag. */
static void sum_hop(pn_pitch_sums_t *sums, const int32_t *decimated) {
    int16_t signal[SPAN];
    const int16_t *newest = signal + PN_PITCH_LAG_MAX;
    sums->exponent = normalise(signal, decimated, SPAN, SAMPLE_BITS);
    const int32_t own = dot(newest, newest);
    int32_t past = dot(newest - PN_PITCH_LAG_MIN, newest - PN_PITCH_LAG_MIN);
    for (int i = 0; i < PN_PITCH_LAGS; i++) {
        const int16_t *delayed = newest - PN_PITCH_LAG_MIN - i;
        sums->correlation[i] = dot(newest, delayed) >> 2;
        sums->energy[i] = (own >> 3) + (past >> 3);
        /* In between, 121 squares of at most 2^24: below 2^31. */
        if (i + 1 < PN_PITCH_LAGS)
            past += delayed[-1] * delayed[-1] - delayed[PN_PITCH_BLOCK - 1] * delayed[PN_PITCH_BLOCK - 1];
    }
}

/* numerator / denominator in Q12 for |numerator| <= denominator + 4; 0 / 0 is 0. */
static int32_t ratio_q12(int32_t numerator, int32_t denominator) {
    /* 18 bits of the denominator are enough, and keep numerator * 2^12 below 2^31. */
    const int shift = pn_max32(14 - pn_clz32((uint32_t)denominator), 0);
    denominator >>= shift;
    if (denominator == 0)
        return 0;
    return pn_clamp32(pn_mul32(numerator >> shift, ONE_Q12) / denominator, -ONE_Q12, ONE_Q12);
}

/*
 * Scores of frame t - 1: normalised correlation over the hops t - 2, t - 1 and t. The pairs x(n), x(n - lag) sit half a
 * lag before n, so the window's centre, half a hop late, is close to the frame's for the usual lags.
 */
static void score_frame(int32_t *score_q12, const pn_pitch_sums_t *oldest, const pn_pitch_sums_t *middle,
                        const pn_pitch_sums_t *newest) {
    const int common = pn_max32(oldest->exponent, pn_max32(middle->exponent, newest->exponent));
    const int shift_oldest = pn_min32(2 * (common - oldest->exponent), 31);
    const int shift_middle = pn_min32(2 * (common - middle->exponent), 31);
    const int shift_newest = pn_min32(2 * (common - newest->exponent), 31);
    for (int i = 0; i < PN_PITCH_LAGS; i++) {
        /* Three sums of at most 120 * 2^24 / 4: below 1.6e9 < 2^31. */
        const int32_t correlation = (oldest->correlation[i] >> shift_oldest) +
                                    (middle->correlation[i] >> shift_middle) +
                                    (newest->correlation[i] >> shift_newest);
        const int32_t energy = (oldest->energy[i] >> shift_oldest) + (middle->energy[i] >> shift_middle) +
                               (newest->energy[i] >> shift_newest);
        score_q12[i] = ratio_q12(correlation, energy);
    }
}

/* log2(lag), piecewise linear between powers of two. */
static int32_t log2_q12(int lag) {
    const int whole = 31 - pn_clz32((uint32_t)lag);
    return (whole << 12) + (lag << 12 >> whole) - ONE_Q12;
}

/* A multiple of the period correlates as well as the period: a lag has to beat its half clearly, and any shorter lag. */
static void discount_octaves(int32_t *score_q12) {
    for (int lag = PN_PITCH_LAG_MAX; lag >= PN_PITCH_LAG_MIN; lag--) {
        int32_t *own = &score_q12[lag - PN_PITCH_LAG_MIN];
        if (lag >= 2 * PN_PITCH_LAG_MIN) {
            const int32_t half = score_q12[lag / 2 - PN_PITCH_LAG_MIN];
            if (pn_mul32(*own, ONE_Q12) < pn_mul32(half, OCTAVE_RATIO_Q12))
                *own = pn_mul32(*own, OCTAVE_KEEP_Q12) >> 12;
        }
        *own -= (log2_q12(lag) - log2_q12(PN_PITCH_LAG_MIN)) * OCTAVE_COST_Q12 >> 12;
    }
}

/* The lag, as an index, from which the best path reaches lag `to` one frame later. */
static int best_origin(const int32_t *path_q12, int to) {
    int best = to;
    int32_t best_value = INT32_MIN;
    for (int i = pn_max32(to - REACH, 0); i <= pn_min32(to + REACH, PN_PITCH_LAGS - 1); i++) {
        const int32_t value = path_q12[i] - MOVE_COST_Q12 * (i - to) * (i - to);
        if (value > best_value) {
            best_value = value;
            best = i;
        }
    }
    if (best_value < -RESTART_COST_Q12)
        for (best = 0; path_q12[best] < 0; best++)
            ;
    return best;
}

/*
 * One frame of the Viterbi search: extend every path by its score. Paths are relative to the best, which is 0, so
 * they lie in [-(RESTART_COST_Q12 + 2 * ONE_Q12), 0]. Returns the lag, as an index, of the frame before the newest on
 * the path that is now the best.
 */
static int extend_paths(int32_t *path_q12, const int32_t *score_q12) {
    int32_t padded[PN_PITCH_LAGS + 2 * REACH];
    int32_t next[PN_PITCH_LAGS];
    for (int i = 0; i < PN_PITCH_LAGS + 2 * REACH; i++)
        padded[i] = -RESTART_COST_Q12;
    memcpy(padded + REACH, path_q12, sizeof next);
    for (int i = 0; i < PN_PITCH_LAGS; i++)
        next[i] = -RESTART_COST_Q12;
    for (int move = -REACH; move <= REACH; move++)
        for (int i = 0; i < PN_PITCH_LAGS; i++)
            next[i] = pn_max32(next[i], padded[i + REACH + move] - MOVE_COST_Q12 * move * move);
    int best = 0;
    for (int i = 0; i < PN_PITCH_LAGS; i++) {
        next[i] += score_q12[i];
        if (next[i] > next[best])
            best = i;
    }
    const int origin = best_origin(path_q12, best);
    const int32_t top = next[best];
    for (int i = 0; i < PN_PITCH_LAGS; i++)
        path_q12[i] = next[i] - top;
    return origin;
}

/* Sum of products over a frame: 8 partial sums below 2^31. */
static int64_t dot_frame(const int16_t *a, const int16_t *b) {
    int64_t sum = 0;
    for (int k = 0; k < FRAME; k += PN_PITCH_BLOCK)
        sum += dot(a + k, b + k);
    return sum;
}

/*
 * The period within REFINE_REACH of `coarse` with the highest normalised correlation at 48 kHz, and that correlation.
 * The pairs are centred on the frame: the window of x(n) starts half a period after the frame does.
 */
static pn_pitch_estimate_t refine(const int32_t *history, int coarse) {
    int16_t signal[FRAME + PN_PITCH_MAX];
    const int low = pn_max32(coarse - REFINE_REACH, PN_PITCH_MIN);
    const int high = pn_min32(coarse + REFINE_REACH, PN_PITCH_MAX);
    normalise(signal, history + FRAME_START + coarse / 2 - high, FRAME + high, SAMPLE_BITS);
    const int16_t *frame = signal + high;
    /* Energies stay below 2 * 960 * 2^24 < 2^35. */
    int64_t energy = dot_frame(frame, frame) + dot_frame(frame - low, frame - low);
    pn_pitch_estimate_t best = {(int16_t)coarse, 0};
    for (int period = low; period <= high && energy > 0; period++) {
        const int16_t *delayed = frame - period;
        const int64_t correlation_q15 = dot_frame(frame, delayed) * 2 * 32768 / energy;
        if (correlation_q15 > best.correlation_q15) {
            best.correlation_q15 = (int16_t)pn_min32((int32_t)correlation_q15, INT16_MAX);
            best.period = (int16_t)period;
        }
        if (period < high)
            energy += delayed[-1] * delayed[-1] - delayed[FRAME - 1] * delayed[FRAME - 1];
    }
    return best;
}

void pn_pitch_init(pn_pitch_t *p) {
    memset(p, 0, sizeof *p);
    p->period = PN_PITCH_INITIAL;
}

pn_pitch_estimate_t pn_pitch_push(pn_pitch_t *p, const int32_t *history) {
    pn_pitch_sums_t newest;
    int32_t score_q12[PN_PITCH_LAGS];
    decimate(p->decimated, history);
    sum_hop(&newest, p->decimated);
    score_frame(score_q12, &p->sums[1], &p->sums[0], &newest);
    p->sums[1] = p->sums[0];
    p->sums[0] = newest;
    discount_octaves(score_q12);
    const int lag = PN_PITCH_LAG_MIN + extend_paths(p->path_q12, score_q12);
    pn_pitch_estimate_t estimate = refine(history, lag * PN_PITCH_DECIMATION);
    if (estimate.correlation_q15 == 0)
        estimate.period = p->period;
    p->period = estimate.period;
    return estimate;
}
