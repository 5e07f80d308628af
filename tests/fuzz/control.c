/* Hostile clients of the control socket, for libFuzzer: they connect, send any bytes in any pieces,
 * read, half-close and hang up. Each receives only lines of the protocol, the last of which is an
 * answer; and nothing is left when all clients have gone. A byte of the input says what happens,
 * and to which client. */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/base/check.h"
#include "master/face/commands.h"
#include "master/face/requests.h"
#include "tests/fuzz/mutate.h"
#include "tests/unit/master/quiet.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { CLIENTS = 40, HEARD_SIZE = 8192 };

struct talker {
	int fd; /* -1: not connected */
	char heard[HEARD_SIZE];
	size_t length;
};

static struct talker talkers[CLIENTS];
static struct quiet quiet;
static struct requests requests;

static void
must(bool condition)
{
	CHECK(condition);
}

static void
connect_talker(struct talker *talker)
{
	int pair[2];

	if (talker->fd != -1)
		return;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0)
		abort();
	talker->fd = pair[0];
	talker->length = 0;
	requests_take(&requests, pair[1], RIGHTS_ALL);
}

/* Judges what a client has received: whole lines of known kinds, and nothing after the last. */
static void
judge(const struct talker *talker, bool is_over)
{
	const char *line = talker->heard, *end = line + talker->length;
	bool has_ended = false;

	while (line < end) {
		const char *next = memchr(line, '\n', (size_t)(end - line));

		CHECK(!has_ended);
		must(*line != '\0' && strchr("|-+!?", *line) != NULL);
		has_ended = *line == '+' || *line == '!' || *line == '?';
		CHECK(next != NULL || !is_over);
		if (next == NULL)
			return;
		line = next + 1;
	}
}

static void
hear(struct talker *talker)
{
	ssize_t length;

	if (talker->fd == -1)
		return;
	do {
		size_t room = HEARD_SIZE - talker->length;

		length = recv(talker->fd, talker->heard + talker->length, room, 0);
		talker->length += length > 0 ? (size_t)length : 0;
		CHECK(talker->length < HEARD_SIZE);
	} while (length > 0);
	judge(talker, length == 0);
}

static void
hang_up(struct talker *talker)
{
	if (talker->fd != -1)
		close(talker->fd);
	talker->fd = -1;
}

static void
say(struct talker *talker, struct bytes *bytes)
{
	char *text = bytes_text(bytes);

	if (talker->fd != -1)
		send(talker->fd, text, strlen(text) + (bytes_next(bytes) & 1), MSG_NOSIGNAL);
	free(text);
}

/* Sends something that is nearly a command, as most hostile clients would. */
static void
say_command(struct talker *talker, struct bytes *bytes)
{
	static const char *const lines[] = {"status\n", "stacks\n", "scale 2x\n", "scale\n",
		"status now\n", "top\n", "sta", "\n"};
	const char *line = lines[bytes_next(bytes) % (sizeof lines / sizeof lines[0])];

	if (talker->fd != -1)
		send(talker->fd, line, strlen(line), MSG_NOSIGNAL);
}

static void
turn(void)
{
	ev_run(quiet.master.loop, EVRUN_NOWAIT);
}

static void
do_one(struct bytes *bytes)
{
	unsigned what = bytes_next(bytes);
	struct talker *talker = &talkers[bytes_next(bytes) % CLIENTS];

	switch (what % 8) {
	case 0:
	case 1:
		connect_talker(talker);
		break;
	case 2:
		say(talker, bytes);
		break;
	case 3:
		say_command(talker, bytes);
		break;
	case 4:
		if (talker->fd != -1)
			shutdown(talker->fd, what & 8 ? SHUT_WR : SHUT_RDWR);
		break;
	case 5:
		hang_up(talker);
		break;
	case 6:
		hear(talker);
		break;
	default:
		requests_changed(&requests, what & 8 ? NULL : "chance");
	}
	if (what & 16)
		turn();
}

/* Checks arguments as they are checked before a command runs. */
static void
check_commands(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), error[COMMANDS_ERROR_SIZE];
	unsigned processes, threads;

	CHECK(text != NULL);
	for (int i = 0; i < COMMAND_MAX; i++) {
		error[0] = '\0';
		if (commands_check(&commands_table[i], text, error) != 0)
			CHECK(error[0] != '\0');
		else if (commands_table[i].argument == COMMAND_SHAPE)
			must(commands_read_shape(text, &processes, &threads) == 0 &&
				processes > 0 && threads > 0);
	}
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bytes bytes = {data, size};

	if (quiet.master.loop == NULL)
		quiet_set(&quiet);
	check_commands(data, size);
	/* In this phase the master refuses commands that change the server: this process must not
	 * fork. */
	quiet.master.phase = MASTER_HANDED_OVER;
	requests_init(&requests, &quiet.master);
	for (int i = 0; i < CLIENTS; i++)
		talkers[i].fd = -1;
	while (bytes.left > 0)
		do_one(&bytes);
	turn();
	for (int i = 0; i < CLIENTS; i++)
		hear(&talkers[i]);
	for (int i = 0; i < CLIENTS; i++)
		hang_up(&talkers[i]);
	requests_fini(&requests);
	turn();
	return 0;
}
