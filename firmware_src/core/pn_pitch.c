/* Pitch: see pn_pitch.h. */
#include "pn_pitch.h"

#include <string.h>

#include "pn_fixed.h"

enum {
    SPAN = PN_PITCH_LAG_MAX + PN_PITCH_BLOCK,
    RESAMPLER_INPUT_MAX = 508, /* samples at 48 kHz: 4 for each of 119 steps, and 32 taps */
    SAMPLE_BITS = 12,          /* of a correlated sample's magnitude: see block_energy */
    GROUP = 3,                 /* lags correlated in one pass over the samples */
    CANDIDATES_MAX = 9,        /* periods tried at 48 kHz, a multiple of GROUP */
    FRAME_BLOCK_MAX = 120,     /* samples of a frame that are correlated at a time: an eighth */
    ONE_Q12 = 1 << 12
};

/*
 * Tuned on 64 clips of male and female speech against pYIN, clean and at 10 dB in white and
 * recorded noise (tools/pitch_accuracy.py). The restart cost matters most: 6, as in LPCNet, loses 4
 * % of the noisy frames.
 */
enum {
    OCTAVE_RATIO_Q12 = 4506, /* 1.1: by how much a lag must beat its half */
    OCTAVE_KEEP_Q12 = 3277,  /* 0.8: what is left of its score otherwise */
    OCTAVE_COST_Q12 = 41,    /* 0.01 per octave above the shortest lag */
    REACH = 4,               /* decimated lags that a path may move per frame */
    MOVE_COST_Q12 = 41,      /* 0.01 per squared lag */
    RESTART_COST_Q12 = 3277  /* 0.8 for leaving the best path for any lag */
};

/* Bits of the largest magnitude: all samples are in [-2^bits, 2^bits). */
static int magnitude_bits(const int32_t *samples, int count) {
    uint32_t seen = 0;
    for (int i = 0; i < count; i++)
        seen |= (uint32_t)(samples[i] ^ pn_shr32(samples[i], 31));
    return 32 - pn_clz32(seen);
}

/* Shift samples down, rounded, so that they lie in [-2^bits, 2^bits]; returns the shift. |samples|
 * <= 2^27. */
static int normalise(int16_t *out, const int32_t *samples, int count, int bits) {
    const int shift = pn_max32(magnitude_bits(samples, count) - bits, 0);
    const int32_t half = 1 << shift >> 1;
    for (int i = 0; i < count; i++)
        out[i] = pn_narrow16((samples[i] + half) >> shift);
    return shift;
}

/*
 * Append the newest hop, low-passed and resampled to 12 kHz.
 *
 * Think of the signal at 96 kHz, zeros between its samples: the low-pass there (-3.8 dB at 2 kHz,
 * below -49 dB from 5 kHz) is sampled every 8 steps, the last time at the newest sample. Only every
 * `up`-th tap meets a sample; which ones depends on the output's place modulo the phases, and each
 * phase has a row of its own (kit/codegen/tables.py).
 */
static inline void resample_by(int32_t *decimated, const int32_t *history, const pn_rate_t *rate,
                               int up, int taps, int phases) {
    int16_t input[RESAMPLER_INPUT_MAX];
    const int oldest_offset = (8 * (PN_PITCH_BLOCK - 1) + up - 1) / up;
    const int count = oldest_offset + taps;
    const int shift = normalise(input, history + 6 * rate->hop - count, count, 14);
    memmove(decimated, decimated + PN_PITCH_BLOCK, PN_PITCH_LAG_MAX * sizeof *decimated);
    for (int i = 0; i < PN_PITCH_BLOCK; i++) {
        const int age = PN_PITCH_BLOCK - 1 - i; /* in samples at 12 kHz */
        const int16_t *const newest = input + count - 1 - (8 * age + up - 1) / up;
        const int16_t *const tap_q15 = rate->pitch_low_pass_q15 + age % phases * taps;
        /* Magnitudes of a row sum to at most 35100: |sum| <= 2^14 * 35100 < 2^30. */
        int32_t sum = 0;
        for (int k = 0; k < taps; k++)
            sum += tap_q15[k] * newest[k - taps + 1];
        /* |history| <= 2^25 makes shift <= 12, and |decimated| < 2^27. */
        decimated[PN_PITCH_LAG_MAX + i] = pn_shrr32(sum, 15 - shift);
    }
}

static void resample(int32_t *decimated, const int32_t *history, const pn_rate_t *rate) {
    if (rate->hz == 48000) /* constants unroll: 9 k instructions a frame fewer on a Cortex-M55 */
        resample_by(decimated, history, rate, 2, 32, 1);
    else
        resample_by(decimated, history, rate, rate->pitch_up, rate->pitch_taps, rate->pitch_phases);
}

/*
 * Energy of at most 120 samples in [-2^SAMPLE_BITS, 2^SAMPLE_BITS]: at most 120 * 2^24 < 2^31.
 * Plain products and sums, here and below, are what compilers turn into multiply-add instructions.
 */
static int32_t block_energy(const int16_t *x, int count) {
    int32_t sum = 0;
    for (int i = 0; i < count; i++)
        sum += x[i] * x[i];
    return sum;
}

/* Correlation of a block with `past` and the two segments that start one and two samples before it.
 * Bound as above. */
static void correlate_block(int32_t sums[GROUP], const int16_t *block, const int16_t *past,
                            int count) {
    int32_t sum0 = 0;
    int32_t sum1 = 0;
    int32_t sum2 = 0;
    for (int i = 0; i < count; i++) {
        sum0 += block[i] * past[i];
        sum1 += block[i] * past[i - 1];
        sum2 += block[i] * past[i - 2];
    }
    sums[0] = sum0;
    sums[1] = sum1;
    sums[2] = sum2;
}

/* Correlation and energy of the newest hop with its past, for every lag. */
static void sum_hop(pn_pitch_sums_t *sums, const int32_t *decimated) {
    int16_t signal[SPAN];
    const int16_t *newest = signal + PN_PITCH_LAG_MAX;
    sums->exponent = normalise(signal, decimated, SPAN, SAMPLE_BITS);
    const int32_t own = block_energy(newest, PN_PITCH_BLOCK);
    int32_t past = block_energy(newest - PN_PITCH_LAG_MIN, PN_PITCH_BLOCK);
    for (int i = 0; i < PN_PITCH_LAGS; i++) {
        const int16_t *delayed = newest - PN_PITCH_LAG_MIN - i;
        sums->energy[i] = (own >> 3) + (past >> 3);
        /* In between, 121 squares of at most 2^24: below 2^31. */
        if (i + 1 < PN_PITCH_LAGS)
            past += delayed[-1] * delayed[-1] -
                    delayed[PN_PITCH_BLOCK - 1] * delayed[PN_PITCH_BLOCK - 1];
    }
    for (int i = 0; i < PN_PITCH_LAGS; i += GROUP) {
        const int first = pn_min32(i, PN_PITCH_LAGS - GROUP);
        int32_t *group = &sums->correlation[first];
        correlate_block(group, newest, newest - PN_PITCH_LAG_MIN - first, PN_PITCH_BLOCK);
        for (int k = 0; k < GROUP; k++)
            group[k] >>= 2;
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
 * Scores of frame t - 1: normalised correlation over the hops t - 2, t - 1 and t. The pairs x(n),
 * x(n - lag) sit half a lag before n, so the window's centre, half a hop late, is close to the
 * frame's for the usual lags.
 */
static void score_frame(int32_t *score_q12, const pn_pitch_sums_t *oldest,
                        const pn_pitch_sums_t *middle, const pn_pitch_sums_t *newest) {
    const int common = pn_max32(oldest->exponent, pn_max32(middle->exponent, newest->exponent));
    const int shift_oldest = pn_min32(2 * (common - oldest->exponent), 31);
    const int shift_middle = pn_min32(2 * (common - middle->exponent), 31);
    const int shift_newest = pn_min32(2 * (common - newest->exponent), 31);
    for (int i = 0; i < PN_PITCH_LAGS; i++) {
        /* Three sums of at most 120 * 2^24 / 4: below 1.6e9 < 2^31. */
        const int32_t correlation = (oldest->correlation[i] >> shift_oldest) +
                                    (middle->correlation[i] >> shift_middle) +
                                    (newest->correlation[i] >> shift_newest);
        const int32_t energy = (oldest->energy[i] >> shift_oldest) +
                               (middle->energy[i] >> shift_middle) +
                               (newest->energy[i] >> shift_newest);
        score_q12[i] = ratio_q12(correlation, energy);
    }
}

/* log2(lag), piecewise linear between powers of two. */
static int32_t log2_q12(int lag) {
    const int whole = 31 - pn_clz32((uint32_t)lag);
    return (whole << 12) + (lag << 12 >> whole) - ONE_Q12;
}

/* A multiple of the period correlates as well as the period: a lag has to beat its half clearly,
 * and any shorter lag. */
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
 * One frame of the Viterbi search: extend every path by its score. Paths are relative to the best,
 * which is 0, so they lie in [-(RESTART_COST_Q12 + 2 * ONE_Q12), 0]. Returns the lag, as an index,
 * of the frame before the newest on the path that is now the best.
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

/* Energy of a frame of 8 blocks, and its correlations with GROUP segments of the past: each block's
 * below 2^31. */
static int64_t frame_energy(const int16_t *x, int block) {
    int64_t sum = 0;
    for (int k = 0; k < 8; k++)
        sum += block_energy(x + k * block, block);
    return sum;
}

static void correlate_frame(int64_t sums[GROUP], const int16_t *frame, const int16_t *past,
                            int block) {
    memset(sums, 0, GROUP * sizeof *sums);
    for (int k = 0; k < 8; k++) {
        int32_t partial[GROUP];
        correlate_block(partial, frame + k * block, past + k * block, block);
        for (int i = 0; i < GROUP; i++)
            sums[i] += partial[i];
    }
}

/*
 * The period nearest to `coarse` with the highest normalised correlation at the full rate, and that
 * correlation. The pairs x(n), x(n - period) are centred on the frame: the window of n starts half
 * a period after the frame does.
 */
static pn_pitch_estimate_t refine(const int32_t *history, int coarse, const pn_rate_t *rate) {
    int16_t signal[8 * FRAME_BLOCK_MAX + PN_PITCH_MAX];
    int64_t correlation[CANDIDATES_MAX];
    const int length = 2 * rate->hop, block = length / 8, candidates = rate->pitch_candidates;
    const int low =
        pn_clamp32(coarse - candidates / 2, rate->period_min, rate->period_max - candidates + 1);
    const int high = low + candidates - 1;
    normalise(signal, history + 2 * rate->hop + coarse / 2 - high, length + high, SAMPLE_BITS);
    const int16_t *frame = signal + high;
    for (int i = 0; i < candidates; i += GROUP)
        correlate_frame(correlation + i, frame, frame - low - i, block);
    /* Energies stay below 2 * 960 * 2^24 < 2^35, correlations in Q24 below 2^34 * 2^25 = 2^59. */
    int64_t energy = frame_energy(frame, block) + frame_energy(frame - low, block);
    int64_t best_q24 = 0;
    int best = coarse;
    for (int i = 0; i < candidates && energy > 0; i++) {
        const int64_t normalised_q24 = correlation[i] * (2 << 24) / energy;
        if (normalised_q24 > best_q24) {
            best_q24 = normalised_q24;
            best = low + i;
        }
        const int16_t *delayed = frame - low - i;
        if (i + 1 < candidates)
            energy += delayed[-1] * delayed[-1] - delayed[length - 1] * delayed[length - 1];
    }
    return (pn_pitch_estimate_t){(int16_t)best,
                                 (int16_t)pn_min32((int32_t)(best_q24 >> 9), INT16_MAX)};
}

void pn_pitch_init(pn_pitch_t *p, const pn_rate_t *rate) {
    memset(p, 0, sizeof *p);
    p->rate = rate;
    p->period = (int16_t)(PN_PITCH_INITIAL * rate->hz / 48000);
}

pn_pitch_estimate_t pn_pitch_push(pn_pitch_t *p, const int32_t *history) {
    pn_pitch_sums_t newest;
    int32_t score_q12[PN_PITCH_LAGS];
    resample(p->decimated, history, p->rate);
    sum_hop(&newest, p->decimated);
    score_frame(score_q12, &p->sums[1], &p->sums[0], &newest);
    p->sums[1] = p->sums[0];
    p->sums[0] = newest;
    discount_octaves(score_q12);
    const int lag = PN_PITCH_LAG_MIN + extend_paths(p->path_q12, score_q12);
    pn_pitch_estimate_t estimate = refine(history, lag * p->rate->hz / 12000, p->rate);
    if (estimate.correlation_q15 == 0)
        estimate.period = p->period;
    p->period = estimate.period;
    return estimate;
}
