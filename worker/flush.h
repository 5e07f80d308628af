/* Writing out what stdio has buffered where a process is about to fork or to end: within a time,
 * whoever does not read it. */
#ifndef HUBBUB_WORKER_FLUSH_H
#define HUBBUB_WORKER_FLUSH_H

/* Writes out all streams. What nobody takes for so long is dropped, so that it comes neither twice,
 * of a child, too, nor has exit(3) wait for ever. For a thread whose streams no other may hold. */
void flush_streams(void);

/* The same as the last act but one; if another thread holds a stream all that time, the process
 * ends here, with that code. */
void flush_before_exit(int code);

#endif
