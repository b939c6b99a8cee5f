/* Histograms of costs: bins tile all costs, and quantiles are right to a 64th, never too low. */
#include "pn_histogram.h"

#include <string.h>

#include "pn_app.h"

#define COSTS 1500

static int failures;
static pn_histogram_t histogram;
static uint32_t costs[COSTS];

static void report(const char *name, int passed) {
    pn_port_line("PN_TEST name=%s result=%s", name, passed ? "pass" : "fail");
    failures += !passed;
}

static void test_bins(void) {
    int whole = pn_histogram_lowest(0) == 0, narrow = 1;
    for (uint32_t bin = 0; bin < PN_HISTOGRAM_BINS; bin++) {
        const uint32_t low = pn_histogram_lowest(bin), high = pn_histogram_highest(bin);
        const uint32_t next = bin + 1 < PN_HISTOGRAM_BINS ? pn_histogram_lowest(bin + 1) : 0;
        whole &= high + 1u == next; /* the last one ends where 32 bits do */
        narrow &= high - low <= low / 64;
    }
    report("histogram_bins_tile_all_costs", whole);
    report("histogram_bins_are_narrow", narrow);
}

static int in_its_bin(uint32_t cost) {
    memset(&histogram, 0, sizeof histogram);
    pn_histogram_add(&histogram, cost);
    for (uint32_t bin = 0; bin < PN_HISTOGRAM_BINS; bin++)
        if (histogram.counts[bin])
            return pn_histogram_lowest(bin) <= cost && cost <= pn_histogram_highest(bin);
    return 0;
}

static void test_places(void) {
    static const uint32_t edges[] = {0, 63, 64, 127, 128, 65535, 65536, UINT32_MAX};
    int right = 1;
    for (size_t i = 0; i < sizeof edges / sizeof *edges; i++)
        right &= in_its_bin(edges[i]);
    report("histogram_puts_costs_into_their_bins", right);
}

static void test_quantiles(void) {
    static const uint32_t shares[] = {1, 500, 990, 999, 1000};
    uint32_t seed = 1;
    int right = 1;
    uint64_t sum = 0;
    memset(&histogram, 0, sizeof histogram);
    for (uint32_t i = 0; i < COSTS; i++) {
        costs[i] = pn_app_random(&seed) >> 8 >> i % 16;
        sum += costs[i];
        pn_histogram_add(&histogram, costs[i]);
    }
    pn_app_sort(costs, COSTS);
    for (size_t i = 0; i < sizeof shares / sizeof *shares; i++) {
        const uint32_t exact = costs[(COSTS * shares[i] + 999) / 1000 - 1];
        const uint32_t found = pn_histogram_quantile(&histogram, shares[i]);
        right &= exact <= found && found <= exact + exact / 64;
    }
    report("histogram_quantiles", right);
    report("histogram_sum_and_most",
           histogram.sum == sum && histogram.most == costs[COSTS - 1] && histogram.total == COSTS);
}

int main(void) {
    test_bins();
    test_places();
    test_quantiles();
    pn_port_line("PN_DONE bad=%d", failures);
    pn_port_exit(failures != 0);
}
