/* What workers print to standard output and standard error, in the log: a pipe for each worker,
 * which the master reads line by line. So what was printed outlives the worker, however it ends. */
#ifndef HUBBUB_SAY_CAPTURE_H
#define HUBBUB_SAY_CAPTURE_H

#include <ev.h>
#include <sys/types.h>

/* What is read of one worker in a turn of the loop, in bytes: a worker that prints without end does
 * not keep the loop from others. */
#define CAPTURE_AT_ONCE 2048

/* A longer line is several lines in the log. */
#define CAPTURE_LINE 2048

/* How many pipes are read whose worker has died, but which its descendants hold. */
#define CAPTURE_ORPHANS_MAX 16

struct capture;

/* Makes the pipe of a worker, and starts to read it. *output gets the worker's end, which the
 * caller closes after the fork. NULL with errno: a limit on files, or memory. */
struct capture *capture_new(struct ev_loop *loop, unsigned worker, int *output);

/* The worker's process, for its lines. NULL is ignored, also below. */
void capture_set_process(struct capture *capture, pid_t pid);

/* The worker is dead: logs what it has left, at once as far as that is a turn's work, and the
 * beginning of a line that it has not ended. The pipe is read on, until no descendant of the worker
 * holds it, or others need its place. The caller forgets it. */
void capture_leave(struct capture *capture);

/* There is no worker: closes the pipe. */
void capture_free(struct capture *capture);

/* Logs what has been printed so far, and closes all pipes that are left. */
void capture_end(void);

#endif
