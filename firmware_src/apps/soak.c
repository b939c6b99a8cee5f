/*
 * Soak: frames for as many seconds as the setting PN_ROUNDS says, paced where PN_PACED says so. The
 * bytes must stay the same; the costs are told second by second.
 */
#include "pn_app.h"
#include "pn_rounds.h"

static pn_app_memory_t memory;
static pn_rounds_t rounds;

int main(void) {
    pn_state_t *const state = pn_app_start(&memory, pn_port_env("PN_FORCE_ISA"));
    pn_app_boot(pn_isa(state));
    pn_port_line("PN_CLOCK source=%s", pn_port_clock());
    return pn_app_done(
        pn_rounds_measure(&rounds, &pn_round_frame, state, pn_app_number("PN_ROUNDS", 10)) != 0);
}
