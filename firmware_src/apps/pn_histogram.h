/*
 * How often each cost occurred, in memory that does not grow with their number: one bin for each
 * cost below 64, from there on 64 bins for each factor of two. A bin is less than a 64th of its
 * costs wide.
 */
#ifndef PN_HISTOGRAM_H
#define PN_HISTOGRAM_H

#include <stdint.h>

#include "pn_port.h"

#define PN_HISTOGRAM_SHIFT 6
#define PN_HISTOGRAM_BINS (27u << PN_HISTOGRAM_SHIFT) /* costs below 64, and 26 octaves to 2^32 */

typedef struct {
    uint32_t counts[PN_HISTOGRAM_BINS];
    uint32_t total, most;
    uint64_t sum; /* 2^32 costs below 2^32 fit */
} pn_histogram_t;

/* Octave of a bin above the first: how far its costs are shifted to keep 7 bits. */
static inline uint32_t pn_histogram_octave(uint32_t bin) {
    return bin >> PN_HISTOGRAM_SHIFT ? (bin >> PN_HISTOGRAM_SHIFT) - 1u : 0u;
}

static inline uint32_t pn_histogram_lowest(uint32_t bin) {
    const uint32_t octave = pn_histogram_octave(bin);
    return (bin - (octave << PN_HISTOGRAM_SHIFT)) << octave;
}

static inline uint32_t pn_histogram_highest(uint32_t bin) {
    return pn_histogram_lowest(bin) + ((1u << pn_histogram_octave(bin)) - 1u);
}

static inline void pn_histogram_add(pn_histogram_t *histogram, uint32_t cost) {
    uint32_t octave = 0;
    while (cost >> octave >= 2u << PN_HISTOGRAM_SHIFT)
        octave++;
    histogram->counts[(octave << PN_HISTOGRAM_SHIFT) + (cost >> octave)]++;
    histogram->total++;
    histogram->sum += cost;
    histogram->most = cost > histogram->most ? cost : histogram->most;
}

/* A cost that at least `share` of 1000 do not exceed: the highest of its bin, but no higher than
 * the highest of all. */
static inline uint32_t pn_histogram_quantile(const pn_histogram_t *histogram, uint32_t share) {
    const uint64_t wanted = ((uint64_t)histogram->total * share + 999u) / 1000u;
    uint64_t seen = 0;
    for (uint32_t bin = 0; bin < PN_HISTOGRAM_BINS; bin++) {
        const uint32_t highest = pn_histogram_highest(bin);
        seen += histogram->counts[bin];
        if (seen >= wanted)
            return highest < histogram->most ? highest : histogram->most;
    }
    return histogram->most;
}

/* The line of a histogram: `lowest-highest:count` of the bins that are not empty. */
static inline void pn_histogram_line(const pn_histogram_t *histogram, const char *name,
                                     const char *mode) {
    const char *separator = "";
    pn_port_text("PN_HISTOGRAM name=%s mode=%s unit=%s bins=", name, mode, pn_port_unit());
    for (uint32_t bin = 0; bin < PN_HISTOGRAM_BINS; bin++) {
        if (histogram->counts[bin] == 0)
            continue;
        pn_port_text("%s%lu-%lu:%lu", separator, (unsigned long)pn_histogram_lowest(bin),
                     (unsigned long)pn_histogram_highest(bin),
                     (unsigned long)histogram->counts[bin]);
        separator = ",";
    }
    pn_port_text("\n");
}

#endif
