/* Flushing stdio's buffers before a process forks or ends, within a bounded time even if nobody
 * reads the output. */
#ifndef HUBBUB_WORKER_FLUSH_H
#define HUBBUB_WORKER_FLUSH_H

/* Flushes all streams. Drops output that its reader does not take in 0.3 s, so that a forked child
 * does not write it a second time, and exit(3) does not wait for ever. Only on the process's first
 * thread, while no other thread holds a stream. */
void flush_streams(void);

/* The same, just before the process ends by itself. If another thread holds a stream for half a
 * second, the process ends in here, with that exit code. */
void flush_before_exit(int code);

#endif
