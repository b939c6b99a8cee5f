/* Formatted lines without the C library's printf, which needs a heap and half of a small board's
 * flash. */
#include "pn_port.h"

#include <stdarg.h>
#include <string.h>

/* One number as digits, to the left of `end`; returns the first digit. 20 digits hold any 64-bit
 * number. */
static char *put_digits(char *end, uint64_t value, unsigned base) {
    do {
        *--end = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    return end;
}

static void write_padded(const char *text, size_t length, int negative, size_t width, char pad) {
    size_t used = length + (negative ? 1u : 0u);
    if (negative && pad == '0')
        pn_port_write("-", 1);
    for (; used < width; used++)
        pn_port_write(&pad, 1);
    if (negative && pad != '0')
        pn_port_write("-", 1);
    pn_port_write(text, length);
}

/* How many bits wide the integer after % is: `l`, `ll` and `z` seen so far say so. */
static int64_t next_signed(va_list *arguments, int longs) {
    return longs == 0   ? va_arg(*arguments, int)
           : longs == 1 ? va_arg(*arguments, long)
                        : va_arg(*arguments, long long);
}

static uint64_t next_unsigned(va_list *arguments, int longs) {
    if (longs == 0)
        return va_arg(*arguments, unsigned);
    return longs == 1 ? va_arg(*arguments, unsigned long) : va_arg(*arguments, unsigned long long);
}

static void write_number(va_list *arguments, char kind, int longs, size_t width, char pad) {
    char digits[20];
    char *const end = digits + sizeof digits;
    int negative = 0;
    uint64_t value;
    if (kind == 'd') {
        int64_t number = next_signed(arguments, longs);
        negative = number < 0;
        value = negative ? 0u - (uint64_t)number : (uint64_t)number;
    } else {
        value = next_unsigned(arguments, longs);
    }
    char *first = put_digits(end, value, kind == 'x' ? 16u : 10u);
    write_padded(first, (size_t)(end - first), negative, width, pad);
}

/* Write what one % directive asks for; returns the character after it. */
static const char *write_directive(const char *format, va_list *arguments) {
    char pad = ' ';
    size_t width = 0;
    int longs = 0;
    if (*format == '0')
        pad = *format++;
    for (; *format >= '0' && *format <= '9'; format++)
        width = width * 10 + (size_t)(*format - '0');
    for (; *format == 'l' || *format == 'z'; format++)
        longs += *format == 'z' && sizeof(size_t) > sizeof(long) ? 2 : 1;
    if (*format == 's') {
        const char *text = va_arg(*arguments, const char *);
        write_padded(text, strlen(text), 0, width, ' ');
    } else if (*format == 'c') {
        char letter = (char)va_arg(*arguments, int);
        write_padded(&letter, 1, 0, width, ' ');
    } else if (*format == '%') {
        pn_port_write("%", 1);
    } else {
        write_number(arguments, *format, longs, width, pad);
    }
    return format + 1;
}

static void write_text(const char *format, va_list *arguments) {
    while (*format) {
        size_t plain = strcspn(format, "%");
        pn_port_write(format, plain);
        format += plain;
        if (*format)
            format = write_directive(format + 1, arguments);
    }
}

void pn_port_text(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_text(format, &arguments);
    va_end(arguments);
}

void pn_port_line(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    write_text(format, &arguments);
    va_end(arguments);
    pn_port_write("\n", 1);
}
