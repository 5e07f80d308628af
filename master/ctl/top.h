/* A live view of a running server on the whole screen, renewed every second. */
#ifndef HUBBUB_CTL_TOP_H
#define HUBBUB_CTL_TOP_H

#include "master/ctl/dialogue.h"

/* Shows the view until q is pressed or the server does not answer. Of dialogue, path and limit must
 * be set; the other fields are overwritten. Returns the exit code; if it is not 0,
 * dialogue->message has the reason. */
int top_run(struct dialogue *dialogue);

#endif
