/* The words that a program was started with. */
#ifndef PN_COMMAND_LINE_H
#define PN_COMMAND_LINE_H

/* Take the words over from whoever started the program; none where nobody can lend them. */
void pn_command_line_read(void);

/* Words for main, without settings (PN_NAME=value), NULL behind the last. Returns their number. */
int pn_command_line_arguments(char ***result);

#endif
