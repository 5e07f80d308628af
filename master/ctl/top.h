/* A full-screen view of a running server, renewed every second. */
#ifndef HUBBUB_CTL_TOP_H
#define HUBBUB_CTL_TOP_H

#include "master/ctl/dialogue.h"

/* Shows it until q is pressed or the server is gone, by dialogues of that path and limit. Returns
 * the exit code; the dialogue's message tells the reason if that is not 0. */
int top_run(struct dialogue *dialogue);

#endif
