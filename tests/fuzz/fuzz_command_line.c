/* The words that a board was started with: an input is what lies in its memory, or what a debugger
 * says. */
#include "fuzz.h"

#define PN_PORT_SEMIHOSTING 1
#define pn_port_env board_env
const char *board_env(const char *name);
#include "../../firmware_src/port/bare_metal/pn_command_line.c"
#undef pn_port_env

lent_words_t pn_lent_words;
static fuzz_input_t said;

const char *pn_semihosting_command_line(char *text, size_t size) {
    size_t count;
    const uint8_t *const bytes = fuzz_bytes(&said, size - 1, &count);
    memcpy(text, bytes, count);
    text[count] = '\0';
    return text;
}

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char **found;
    word_count = 0;
    said = (fuzz_input_t){data, data + size};
    memset(&pn_lent_words, 0, sizeof pn_lent_words);
    if (fuzz_number(&said, 1) % 2) {
        size_t count;
        const uint8_t *const bytes = fuzz_bytes(&said, sizeof pn_lent_words, &count);
        memcpy(&pn_lent_words, bytes, count);
        pn_lent_words.magic = LENT_MAGIC;
        pn_lent_words.inverted_length = ~pn_lent_words.length;
    }
    pn_command_line_read();
    const int count = pn_command_line_arguments(&found);
    fuzz_expect(count >= 0 && count <= MAX_ARGUMENTS && !found[count], "arguments without end");
    for (int i = 0; i < count; i++)
        fuzz_expect(strlen(found[i]) < COMMAND_LINE_SIZE, "a word without end");
    const char *const run = board_env("PN_RUN");
    fuzz_expect(!run || strlen(run) < COMMAND_LINE_SIZE, "a setting without end");
    return 0;
}
