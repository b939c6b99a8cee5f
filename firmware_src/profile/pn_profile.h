/* Reading what the probes of pn_probe.h have received; for programs of the variant `profile`. */
#ifndef PN_PROFILE_H
#define PN_PROFILE_H

#include <stddef.h>
#include <stdint.h>

#include "pn_probe.h"

/* Cost by region since pn_probe_clear, in units of pn_port_unit(), without reading the clock. */
extern uint64_t pn_probe_spent[PN_PROBE_COUNT];

/* Measure what reading the clock takes; once, before the first pn_probe_clear. */
void pn_probe_calibrate(void);

/* Count from 0. */
void pn_probe_clear(void);

/* Text of a region: "network.gru1"; NULL from PN_PROBE_COUNT on. */
const char *pn_probe_name(size_t region);

#endif
