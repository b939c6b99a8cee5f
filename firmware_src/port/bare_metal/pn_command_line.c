/*
 * A board's arguments and settings: words of a command line.
 *
 * Whoever writes programs to a board (boot loader, debugger) lays the words down in RAM that
 * start-up leaves alone; kit/runner/_board.py is the other side. Where nothing lies, semihosting is
 * asked.
 */
#include "pn_command_line.h"

#include <stdint.h>
#include <string.h>

#include "pn_port.h"
#include "pn_semihosting.h"

#define COMMAND_LINE_SIZE 512
#define MAX_ARGUMENTS 16
#define LENT_MAGIC 0x4c504e57u

typedef struct {
    uint32_t magic, length, inverted_length;
    char text[COMMAND_LINE_SIZE - 3 * sizeof(uint32_t)];
} lent_words_t;

/* From the linker script. */
extern lent_words_t pn_lent_words;

static char command_line[COMMAND_LINE_SIZE];
static char *words[MAX_ARGUMENTS];
static int word_count;
static char *arguments[MAX_ARGUMENTS + 1];

/* Takes the words away: another reset starts a program without them. Returns whether there are any.
 */
static int take_lent_words(void) {
    const uint32_t length = pn_lent_words.length;
    if (pn_lent_words.magic != LENT_MAGIC || pn_lent_words.inverted_length != ~length ||
        length >= sizeof pn_lent_words.text)
        return 0;
    memcpy(command_line, pn_lent_words.text, length);
    command_line[length] = '\0';
    pn_lent_words.magic = 0;
    return 1;
}

void pn_command_line_read(void) {
    if (!take_lent_words() && PN_PORT_SEMIHOSTING)
        pn_semihosting_command_line(command_line, sizeof command_line);
    char *rest = command_line;
    while (*(rest += strspn(rest, " ")) && word_count < MAX_ARGUMENTS) {
        words[word_count++] = rest;
        rest += strcspn(rest, " ");
        if (*rest)
            *rest++ = '\0';
    }
}

static int is_setting(const char *word) {
    return strncmp(word, "PN_", 3) == 0 && strchr(word, '=');
}

int pn_command_line_arguments(char ***result) {
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
