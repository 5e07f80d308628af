/* Pipes and eventfds. */
#ifndef HUBBUB_SIM_PIPE_PRIV_H
#define HUBBUB_SIM_PIPE_PRIV_H

#include <stdbool.h>

struct file;

/* As pipe(2): the end to read, and the one to write. False without memory. */
bool pipe_new(struct file *ends[2]);

/* As eventfd(2). NULL without memory. */
struct file *counter_new(unsigned count, bool is_semaphore);

#endif
