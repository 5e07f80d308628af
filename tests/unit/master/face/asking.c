/* Workers that are records with a channel, whose other ends the test holds. */
#include "tests/unit/master/face/asking.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "master/fleet/generation.h"
#include "worker/reply.h"

static const struct hubbub_command commands[] = {
	{.name = "one", .help = ""}, {.name = "each", .help = "", .in_each_worker = true}, {0}};
static const struct hubbub_service service = {
	.name = "asked", .version = "1.0", .commands = commands};

/* A master with workers that are records with a channel, whose other ends the test holds. */
struct quiet quiet;
struct slot slots[WORKERS];
static struct slot *places[WORKERS];
struct slot_hub hubs[WORKERS];
int ends[WORKERS];
/* What was answered. */
unsigned answers;
enum ask_end last;
char text[512];

void
asking_begin(void)
{
	quiet_set(&quiet);
	quiet.master.service = &service;
	quiet_lend(&quiet, true);
	for (unsigned i = 0; i < WORKERS; i++) {
		int pair[2];

		cr_assert_eq(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
		slots[i] = (struct slot){.generation = quiet.master.fleet.serving,
			.index = i,
			.state = SUPERVISION_READY,
			.pid = (pid_t)(100 + i),
			.channel = pair[0],
			.hubs = &hubs[i]};
		hubs[i] = (struct slot_hub){0};
		places[i] = &slots[i];
		ends[i] = pair[1];
	}
	quiet.master.fleet.serving->slots = places;
	quiet.master.fleet.serving->count = WORKERS;
	answers = 0;
}

void
asking_end(void)
{
	ask_drop_all(&quiet.master);
	for (unsigned i = 0; i < WORKERS; i++) {
		close(slots[i].channel);
		close(ends[i]);
	}
	if (quiet.master.fleet.serving != NULL)
		quiet_lend(&quiet, false);
	quiet_clear(&quiet);
}

static void
on_answer(const struct ask_answer *answer, void *context)
{
	cr_assert_eq(context, &answers);
	answers++;
	last = answer->end;
	snprintf(text, sizeof text, "%.*s|%s", (int)(answer->length < 64 ? answer->length : 64),
		answer->output, answer->why != NULL ? answer->why : "");
}

/* Asks for the command of that row, as one of that many questions. Returns NULL, or why it cannot
 * be. */
const char *
ask_of(unsigned most, unsigned row)
{
	const char *why = NULL;

	return ask_begin(&quiet.master, most, &commands[row], "a\0b\0", 4, on_answer, &answers,
		       &why) != NULL
		       ? NULL
		       : why;
}

const char *
ask(unsigned row)
{
	return ask_of(ASK_MAX, row);
}

/* The socket that a worker was sent, or -1. */
int
take(unsigned worker, unsigned row)
{
	struct channel_message message;
	char arguments[8];
	int descriptor;

	if (channel_receive(ends[worker], &message, &descriptor) != 1)
		return -1;
	cr_assert_eq(message.kind, CHANNEL_ASK);
	cr_assert_eq(message.value, row);
	cr_assert_eq(recv(descriptor, arguments, sizeof arguments, 0), 4);
	cr_assert_arr_eq(arguments, "a\0b\0", 4);
	cr_assert_eq(recv(descriptor, arguments, sizeof arguments, 0), 0, "no more will come");
	return descriptor;
}

void
turn(void)
{
	for (int i = 0; i < 3; i++)
		ev_run(quiet.master.loop, EVRUN_NOWAIT);
}

/* Answers as a worker that has run the command. */
void
answer_as(int socket, const char *output, const char *why, bool is_bad_usage)
{
	struct reply_end record = {.length = (uint32_t)strlen(output),
		.has_failed = why != NULL,
		.is_bad_usage = is_bad_usage};

	snprintf(record.why, sizeof record.why, "%s", why != NULL ? why : "");
	cr_assert_eq(send(socket, output, strlen(output), 0), (ssize_t)strlen(output));
	cr_assert_eq(send(socket, &record, sizeof record, 0), (ssize_t)sizeof record);
	close(socket);
	turn();
}

void
answer(int socket, const char *output, const char *why)
{
	answer_as(socket, output, why, false);
}
