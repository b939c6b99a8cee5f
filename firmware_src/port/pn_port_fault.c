/* What happens when something must not go on: one line that says what, and an exit code that nobody
 * takes for success. */
#include "pn_port.h"

#include "pn_fixed.h"

_Noreturn void pn_port_fault(const char *kind, const char *detail) {
    pn_port_line("PN_FAULT kind=%s detail=%s", kind, detail);
    pn_port_exit(PN_PORT_FAULT_CODE);
}

#ifdef PN_CHECKED
void pn_fixed_overflow(const char *operation) {
    pn_port_fault("overflow", operation);
}
#endif
