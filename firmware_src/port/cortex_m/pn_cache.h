/* Caches of the Cortex-M cores that have them (M7, M55, M85). */
#ifndef PN_CACHE_H
#define PN_CACHE_H

/* Forget what the caches hold and switch both on. Not while the data cache is on. */
void pn_cache_enable(void);

#endif
