/* A full-screen view of a running server, renewed every second. */
#ifndef HUBBUB_CTL_TOP_H
#define HUBBUB_CTL_TOP_H

/* Shows it until q is pressed or the server is gone. Returns the exit code; message gets the reason
 * if that is not 0. */
int top_run(const char *path, char *message, int message_size);

#endif
