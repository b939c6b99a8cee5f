/*
 * The port for Cortex-M boards: a CMSDK UART, polled both ways, and the system timer.
 *
 * The target's description defines PN_PORT_UART_BASE, PN_PORT_CLOCK_HZ (of the system timer),
 * PN_PORT_BAUD and, for emulators, PN_PORT_SEMIHOSTING and PN_PORT_COUNTS_INSTRUCTIONS (an instruction takes a
 * nanosecond of their time).
 */
#include "pn_port.h"

#include <string.h>

#include "pn_cortex_m.h"
#include "pn_semihosting.h"

#define UART_DATA (*(volatile uint32_t *)(PN_PORT_UART_BASE + 0x00u))
#define UART_STATE (*(volatile uint32_t *)(PN_PORT_UART_BASE + 0x04u))
#define UART_CONTROL (*(volatile uint32_t *)(PN_PORT_UART_BASE + 0x08u))
#define UART_BAUD_DIVISOR (*(volatile uint32_t *)(PN_PORT_UART_BASE + 0x10u))
#define UART_STATE_TX_FULL 1u
#define UART_STATE_RX_FULL 2u
#define UART_CONTROL_TX_RX 3u

#define SYST_CSR (*(volatile uint32_t *)0xe000e010u)
#define SYST_RVR (*(volatile uint32_t *)0xe000e014u)
#define SYST_CVR (*(volatile uint32_t *)0xe000e018u)
#define SCB_ICSR (*(volatile uint32_t *)0xe000ed04u)
#define SYST_CSR_ENABLE_INTERRUPT_CORE_CLOCK 7u
#define ICSR_PENDSTSET (1u << 26)
#define SYST_PERIOD (1u << 24)

#define NS_PER_S 1000000000u
#define COMMAND_LINE_SIZE 512
#define MAX_ARGUMENTS 16

static volatile uint32_t systick_wraps;
static char command_line[COMMAND_LINE_SIZE];
static char *words[MAX_ARGUMENTS];
static int word_count;
static char *arguments[MAX_ARGUMENTS + 1];

void pn_port_systick(void) {
    systick_wraps = systick_wraps + 1;
}

static void split_command_line(void) {
    if (PN_PORT_SEMIHOSTING)
        pn_semihosting_command_line(command_line, sizeof command_line);
    char *rest = command_line;
    while (*(rest += strspn(rest, " ")) && word_count < MAX_ARGUMENTS) {
        words[word_count++] = rest;
        rest += strcspn(rest, " ");
        if (*rest)
            *rest++ = '\0';
    }
}

void pn_port_start(void) {
    UART_BAUD_DIVISOR = PN_PORT_CLOCK_HZ / PN_PORT_BAUD;
    UART_CONTROL = UART_CONTROL_TX_RX;
    SYST_RVR = SYST_PERIOD - 1u;
    SYST_CVR = 0;
    SYST_CSR = SYST_CSR_ENABLE_INTERRUPT_CORE_CLOCK;
    split_command_line();
}

/* Ticks since the start. A wrap between the reads, or one whose interrupt waits, shows and is read
 * again or added. */
static uint64_t ticks(void) {
    uint32_t wraps, waiting, value;
    do {
        wraps = systick_wraps;
        value = SYST_CVR;
        waiting = SCB_ICSR & ICSR_PENDSTSET;
    } while (wraps != systick_wraps || waiting);
    return (uint64_t)wraps * SYST_PERIOD + (SYST_PERIOD - 1u - value);
}

/* Seconds and the rest apart: ticks * 10^9 would leave 64 bits after 10 minutes at 32 MHz. */
uint64_t pn_port_now(void) {
    uint64_t now = ticks();
    return now / PN_PORT_CLOCK_HZ * NS_PER_S + now % PN_PORT_CLOCK_HZ * NS_PER_S / PN_PORT_CLOCK_HZ;
}

const char *pn_port_unit(void) {
    return PN_PORT_COUNTS_INSTRUCTIONS ? "instr" : "ns";
}

void pn_port_wait_until(uint64_t time) {
    while (pn_port_now() < time)
        continue;
}

void pn_port_write(const void *bytes, size_t count) {
    const unsigned char *next = bytes;
    for (; count; count--) {
        while (UART_STATE & UART_STATE_TX_FULL)
            continue;
        UART_DATA = *next++;
    }
}

size_t pn_port_read(void *bytes, size_t count) {
    unsigned char *next = bytes;
    for (size_t i = 0; i < count; i++) {
        while (!(UART_STATE & UART_STATE_RX_FULL))
            continue;
        *next++ = (unsigned char)UART_DATA;
    }
    return count;
}

static int is_setting(const char *word) {
    return strncmp(word, "PN_", 3) == 0 && strchr(word, '=');
}

int pn_port_arguments(char ***result) {
    int count = 0;
    for (int i = 0; i < word_count; i++)
        if (!is_setting(words[i]))
            arguments[count++] = words[i];
    arguments[count] = NULL;
    *result = arguments;
    return count;
}

const char *pn_port_env(const char *name) {
    size_t length = strlen(name);
    for (int i = 0; i < word_count; i++)
        if (strncmp(words[i], name, length) == 0 && words[i][length] == '=')
            return words[i] + length + 1;
    return NULL;
}

_Noreturn void pn_port_exit(int code) {
    if (PN_PORT_SEMIHOSTING)
        pn_semihosting_exit(code);
    for (;;)
        __asm__ volatile("wfi");
}
