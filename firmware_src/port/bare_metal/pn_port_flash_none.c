/* A board has no flash for weights unless its own file says otherwise. */
#include "pn_port_flash.h"

__attribute__((weak)) const pn_flash_t *pn_port_flash(void) {
    return NULL;
}
