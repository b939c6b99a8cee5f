/* A board's arguments and settings: words of a command line that the debugger or emulator lends. */
#include "pn_command_line.h"

#include <string.h>

#include "pn_port.h"
#include "pn_semihosting.h"

#define COMMAND_LINE_SIZE 512
#define MAX_ARGUMENTS 16

static char command_line[COMMAND_LINE_SIZE];
static char *words[MAX_ARGUMENTS];
static int word_count;
static char *arguments[MAX_ARGUMENTS + 1];

void pn_command_line_read(void) {
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
