/*
 * What a test program needs of a bare x86-64 computer that Bochs emulates: bytes to its console
 * port, and the end.
 */
#include "pn_port.h"

#define CONSOLE 0xe9
#define SHUTDOWN 0x8900

static void put(uint16_t port, char byte) {
    __asm__ volatile("outb %0, %1" : : "a"(byte), "Nd"(port));
}

void pn_port_write(const void *bytes, size_t count) {
    const char *const text = bytes;
    for (size_t i = 0; i < count; i++)
        put(CONSOLE, text[i]);
}

_Noreturn void pn_port_exit(int code) {
    static const char word[] = "Shutdown";
    pn_port_line("PN_DONE bad=%d", code);
    for (size_t i = 0; word[i]; i++)
        put(SHUTDOWN, word[i]);
    for (;;)
        __asm__ volatile("hlt");
}

/* Compilers call these for copies and comparisons of their own, too. */
void *memset(void *to, int byte, size_t count) {
    void *start = to;
    __asm__ volatile("rep stosb" : "+D"(to), "+c"(count) : "a"(byte) : "memory");
    return start;
}

void *memcpy(void *restrict to, const void *restrict from, size_t count) {
    void *start = to;
    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    return start;
}

int memcmp(const void *a, const void *b, size_t count) {
    const unsigned char *const left = a, *const right = b;
    for (size_t i = 0; i < count; i++)
        if (left[i] != right[i])
            return left[i] - right[i];
    return 0;
}

int strcmp(const char *a, const char *b) {
    for (; *a && *a == *b; a++, b++)
        continue;
    return *a - *b;
}

size_t strlen(const char *text) {
    size_t count = 0;
    while (text[count])
        count++;
    return count;
}

size_t strcspn(const char *text, const char *ends) {
    size_t count = 0;
    for (; text[count]; count++)
        for (const char *end = ends; *end; end++)
            if (text[count] == *end)
                return count;
    return count;
}
