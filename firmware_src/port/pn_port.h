/*
 * What programs and tests need from the machine they run on; the library itself needs nothing of
 * this.
 *
 * Each folder beside this file is one platform. Standard output of a Linux program and the UART of
 * a board are the same thing here: one byte stream each way that carries protocol lines and, where
 * an app says so, raw samples.
 */
#ifndef PN_PORT_H
#define PN_PORT_H

#include <stddef.h>
#include <stdint.h>

/* Time that only grows, in units of pn_port_unit(). */
uint64_t pn_port_now(void);

/* What keeps that time: "dwt", "systick" ... */
const char *pn_port_clock(void);

/* "ns", or "instr" on emulators whose clock counts executed instructions (one per nanosecond of
 * their time). */
const char *pn_port_unit(void);

/* Return when pn_port_now() has reached `time`; the processor rests meanwhile where it can. */
void pn_port_wait_until(uint64_t time);

/* How often so far others got the processor although the program had work; 0 where there are no
 * others. */
uint64_t pn_port_preemptions(void);

/* Write all bytes. */
void pn_port_write(const void *bytes, size_t count);

/* Read exactly `count` bytes, waiting for them. Returns fewer only at the end of the input (a UART
 * has none). */
size_t pn_port_read(void *bytes, size_t count);

/**
 * Write one line; the line feed is added. Knows %s %c %d %u %x %ld %lu %lld %llu %zu %%, a width,
 * and 0 before it; no floating point, no heap, no buffer: lines may be of any length.
 */
void pn_port_line(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The same without a line feed: the beginning of a line. */
void pn_port_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A setting from outside (PN_RUN, PN_FORCE_ISA ...): the environment, or NAME=value on a board's
 * command line, or NULL. */
const char *pn_port_env(const char *name);

/* Have the stack's use measured from here on, once; boards measure it from their start. */
void pn_port_watch_stack(void);

/* Most bytes of stack in use at any time so far; 0 where that is not measured. */
size_t pn_port_stack_used(void);

/* End the program. 0 is success. */
_Noreturn void pn_port_exit(int code);

/* Write `PN_FAULT kind=... detail=...` and end the program with PN_PORT_FAULT_CODE. */
_Noreturn void pn_port_fault(const char *kind, const char *detail);

#define PN_PORT_FAULT_CODE 70

#endif
