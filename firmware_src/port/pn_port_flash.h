/* The flash that a machine has for weights that are updated. */
#ifndef PN_PORT_FLASH_H
#define PN_PORT_FLASH_H

#include "pn_flash.h"

/* NULL where there is none. Made ready on the first call. */
const pn_flash_t *pn_port_flash(void);

#endif
