/* Streams of stdio that suspend the coroutine, and which of them are popen's. */
#ifndef HUBBUB_PATCH_STREAM_PRIV_H
#define HUBBUB_PATCH_STREAM_PRIV_H

#include <stdio.h>
#include <sys/types.h>

#include "hub/base/list.h"

/* As fdopen(3), for an fd that is no file. NULL with errno EINVAL or ENOMEM. */
FILE *stream_open(int fd, const char *mode);

/* A stream of popen's, and the child that runs its command. */
struct command_stream {
	struct list link;
	FILE *stream;
	pid_t pid;
};

/* Keeps popen's record of a stream, from malloc, until stream_take_command. */
void stream_note_command(struct command_stream *record);

/* Takes the record out again, the caller's to free; NULL if the stream is not popen's. pclose does
 * so, and fclose by way of it. */
struct command_stream *stream_take_command(const FILE *stream);

/* Calls visit for each stream of popen's. visit must not open or close any of them. */
void stream_each_command(void (*visit)(FILE *stream, void *context), void *context);

#endif
