/* Text from a server, which may belong to another user, made safe for a terminal. */
#ifndef HUBBUB_MASTER_CTL_PLAIN_H
#define HUBBUB_MASTER_CTL_PLAIN_H

/* Replaces each byte of a control character by a question mark, except newlines and tabs: a
 * terminal would obey escape sequences. */
void plain(char *text);

#endif
