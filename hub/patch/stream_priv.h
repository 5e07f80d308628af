/* Streams of stdio that wait as descriptors do, and which of them have a command at their other
 * end. */
#ifndef HUBBUB_PATCH_STREAM_PRIV_H
#define HUBBUB_PATCH_STREAM_PRIV_H

#include <stdio.h>
#include <sys/types.h>

#include "hub/base/list.h"

/* As fdopen(3), for what is no file. NULL with errno EINVAL, ENOMEM. */
FILE *stream_open(int fd, const char *mode);

/* A stream of popen's, whose command pclose waits for. */
struct command_stream {
	struct list link;
	FILE *stream;
	pid_t pid;
};

/* From now on popen's record of the stream, which belongs to this part until it is taken, or
 * fclose(3) closes the stream: then nobody will wait for the command. */
void stream_note_command(struct command_stream *record);

/* Gives the record back to the caller; NULL if the stream is none of popen's. */
struct command_stream *stream_take_command(const FILE *stream);

/* Calls visit, which must not open or close any, for each stream of popen's. */
void stream_each_command(void (*visit)(FILE *stream, void *context), void *context);

#endif
