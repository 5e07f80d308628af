/* Text of a server that another user may own, on its way to a terminal. */
#ifndef HUBBUB_MASTER_CTL_PLAIN_H
#define HUBBUB_MASTER_CTL_PLAIN_H

/* Writes a question mark over each byte of a control character but newlines and tabs: a terminal
 * would do what they say. */
void plain(char *text);

#endif
