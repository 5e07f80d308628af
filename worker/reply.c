/* The coroutine is one of the pool of connections: like them it keeps its hub from ending, until
 * the hub closes. Output is collected in memory, so that a command that has failed can say so
 * first, and one that is slow to write holds nothing up. The socket is the master's, and its bytes
 * are not counted among the clients'. */
#include "worker/reply.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "hub/base/check.h"
#include "hub/base/log.h"
#include "hub/io/stream.h"
#include "worker/call.h"
#include "worker/command.h"
#include "worker/state.h"

struct reply {
	const struct hubbub_command *command;
	void *context;
	int socket;
	struct reply_end end;
	char *arguments[REPLY_ARGUMENTS_MAX + 1];
	char text[REPLY_ARGUMENTS_SIZE]; /* of the arguments */
};

/* Receives the arguments, all of which have come. */
static bool
receive(struct reply *reply)
{
	size_t length = 0, count = 0;
	ssize_t got;

	do {
		got = recv(reply->socket, reply->text + length, sizeof reply->text - length,
			MSG_DONTWAIT);
		length += got > 0 ? (size_t)got : 0;
	} while (got > 0 || (got == -1 && errno == EINTR));
	if (got == -1)
		return false;
	CHECK_WHY(length == 0 || reply->text[length - 1] == '\0', "a NUL ends each argument");
	for (size_t at = 0; at < length; at += strlen(reply->text + at) + 1) {
		CHECK(count < REPLY_ARGUMENTS_MAX);
		reply->arguments[count++] = reply->text + at;
	}
	return true;
}

/* Of hubbub_bad_usage: a command that returns it has refused its arguments. */
static _Thread_local char bad_usage[MEMO_WHY_SIZE];

const char *
hubbub_bad_usage(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(bad_usage, sizeof bad_usage, format, arguments);
	va_end(arguments);
	return bad_usage;
}

static void
fail(struct reply_end *end, const char *why)
{
	end->has_failed = true;
	end->is_bad_usage = why == bad_usage;
	snprintf(end->why, sizeof end->why, "%s", call_reason(why));
}

/* Runs the command, and notes how it has ended. */
static void
run(struct reply *reply, struct hub_stream *output)
{
	struct hub_timeout scope;
	const char *why;
	size_t length;

	hub_timeout_start(&scope, REPLY_TIME);
	why = reply->command->run(output, reply->arguments, reply->context);
	thread_check_return();
	/* Without time, or killed, it cannot write: what it has not noticed is missing. */
	if (why == NULL && hub_sleep(0) != 0)
		why = errno == ETIMEDOUT ? "it took longer than 4 s" : "its worker ends";
	if (why != NULL)
		fail(&reply->end, why);
	hub_timeout_stop(&scope);
	hub_stream_output(output, &length);
	DCHECK(reply->end.length == 0);
	/* Whether or not the command has noticed. */
	if (hub_stream_write(output, "", 0) < 0 && errno == EMSGSIZE)
		fail(&reply->end, "its output is longer than 1 MiB");
	else
		reply->end.length = (uint32_t)length;
}

/* Returns whether all was sent: not if the master has hung up, or the hub closes. */
static bool
send_all(int socket, const void *bytes, size_t length)
{
	const char *rest = bytes;

	while (length > 0) {
		ssize_t sent = send(socket, rest, length, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent == -1 && errno == EAGAIN && hub_wait_fd(socket, POLLOUT) >= 0)
			continue;
		if (sent == -1 && errno != EINTR)
			return false;
		rest += sent > 0 ? sent : 0;
		length -= sent > 0 ? (size_t)sent : 0;
	}
	return true;
}

/* Within the same time as the command: a master that is stopped must not hold up a drain. */
static void
answer(struct reply *reply)
{
	struct hub_stream *output =
		hub_stream_new_memory("", 0, &(struct hub_stream_options){.most = REPLY_MOST});
	struct hub_timeout scope;

	if (output == NULL || !receive(reply)) {
		hub_stream_free(output);
		return;
	}
	run(reply, output);
	hub_timeout_start(&scope, REPLY_TIME);
	if (send_all(reply->socket, hub_stream_output(output, &(size_t){0}), reply->end.length))
		send_all(reply->socket, &reply->end, sizeof reply->end);
	hub_timeout_stop(&scope);
	hub_stream_free(output);
}

static void *
body(void *argument)
{
	struct reply *reply = argument;

	answer(reply);
	hub_close(reply->socket);
	free(reply);
	return NULL;
}

/* The row of that number; NULL if there is none. */
static const struct hubbub_command *
find(const struct hubbub_command *commands, int64_t number)
{
	for (; commands != NULL && commands->name != NULL; commands++)
		if (number-- == 0)
			return commands;
	return NULL;
}

void
reply_start(struct worker_thread *thread, int64_t number, int socket)
{
	const struct hubbub_command *command = find(thread->heritage->commands, number);
	struct reply *reply = command != NULL ? calloc(1, sizeof *reply) : NULL;
	struct hub_coroutine *coroutine = NULL;

	DCHECK(thread_is_here(thread));
	if (reply != NULL) {
		*reply = (struct reply){
			.command = command, .context = thread->heritage->context, .socket = socket};
		coroutine = hub_pool_spawn(&thread->pool, body, reply);
	}
	if (coroutine != NULL) {
		hub_set_name(coroutine, command->name);
		return;
	}
	log_warning("worker %u cannot run a command of its service: %s", thread->heritage->index,
		command != NULL ? "no memory" : "there is no such command");
	hub_close(socket);
	free(reply);
}
