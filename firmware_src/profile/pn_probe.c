/* Receives the probes of the variant `profile`: what each region has cost so far. */
#include "pn_profile.h"

#include <string.h>

#include "pn_port.h"

#define CLOCK_READINGS 100

uint64_t pn_probe_spent[PN_PROBE_COUNT];

/* A program that counts instructions from outside watches which of these is written. */
volatile uint8_t pn_probe_place[PN_PROBE_COUNT];

static pn_probe_region_t current = PN_PROBE_OUTSIDE;
static uint64_t since, clock_cost;

static uint64_t without_clock(uint64_t passed) {
    return passed > clock_cost ? passed - clock_cost : 0;
}

void pn_probe_enter(pn_probe_region_t region) {
    pn_probe_place[PN_PROBE_OUTSIDE] = 1; /* what follows is no part of any region */
    pn_probe_spent[current] += without_clock(pn_port_now() - since);
    current = region;
    since = pn_port_now();
    pn_probe_place[region] = 1;
}

void pn_probe_calibrate(void) {
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < CLOCK_READINGS; i++) {
        const uint64_t start = pn_port_now(), passed = pn_port_now() - start;
        least = passed < least ? passed : least;
    }
    clock_cost = least;
}

void pn_probe_clear(void) {
    current = PN_PROBE_OUTSIDE;
    since = pn_port_now();
    memset(pn_probe_spent, 0, sizeof pn_probe_spent);
}

const char *pn_probe_name(size_t region) {
    static const char *const names[PN_PROBE_COUNT] = {
#define PN_PROBE_NAME(name, text) text,
        PN_PROBE_REGIONS(PN_PROBE_NAME)
#undef PN_PROBE_NAME
    };
    return region < PN_PROBE_COUNT ? names[region] : NULL;
}
