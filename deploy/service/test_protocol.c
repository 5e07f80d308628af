/* The protocol in a simulated world: with the same seed the same happens, and with trouble calls
 * fail in a good program, so that a line may have no answer, but never a wrong one. */
#include <criterion/criterion.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "protocol.h"

/* What a client sends, and all that it is to get. */
struct talk {
	const char *sent;
	size_t length;
	const char *answers;
};

static void
do_nothing(int client)
{
	(void)client;
}

static const struct protocol protocol = {64, do_nothing, do_nothing};
static bool is_in_trouble;
static int ends[2];

static void *
serve(void *unused)
{
	protocol_serve(ends[1], &protocol);
	hub_close(ends[1]);
	return unused;
}

/* Sends all, then hears all. Without trouble nothing is missing. */
static void *
hold(void *argument)
{
	const struct talk *talk = argument;
	struct hub_coroutine *server;
	char heard[1024];
	size_t length = 0;
	ssize_t got;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) != 0)
		return NULL;
	server = hub_spawn(serve, NULL);
	if (server != NULL && hub_send(ends[0], talk->sent, talk->length, 0) > 0)
		hub_shutdown(ends[0], SHUT_WR);
	while (server != NULL && length < sizeof heard &&
		(got = hub_recv(ends[0], heard + length, sizeof heard - length, 0)) > 0)
		length += (size_t)got;
	hub_close(ends[0]);
	if (server != NULL)
		hub_join(server, NULL);
	else
		hub_close(ends[1]);
	hub_sim_check(length <= strlen(talk->answers) &&
			      memcmp(heard, talk->answers, length) == 0 &&
			      (is_in_trouble || length == strlen(talk->answers)),
		"the answers are '%.*s'", (int)length, heard);
	return NULL;
}

#define TALK(text, heard)                                                                          \
	{                                                                                          \
		.sent = (text), .length = sizeof(text) - 1, .answers = (heard)                     \
	}
#define LINE_OF_64 "echo 67890123456789012345678901234567890123456789012345678901234"
#define TEXT_OF_59 "67890123456789012345678901234567890123456789012345678901234"

static struct talk talks[] = {
	TALK("ping\necho a b\nquit\nping\n", "pong\na b\nbye\n"),
	TALK("\r\nPING\r\n", "error: there are ping, echo TEXT and quit\n"
			     "error: there are ping, echo TEXT and quit\n"),
	TALK("ping\0\nping\n", "error: the line has a NUL\npong\n"),
	TALK(LINE_OF_64 "\nping\n", TEXT_OF_59 "\npong\n"),
	TALK(LINE_OF_64 "5\nping\n", "error: a line has at most 64 bytes\n"),
	TALK("ping\npin", "pong\n"),
};

/* Searches among so many worlds for one in which a talk goes otherwise. */
static void
search(uint64_t worlds, const struct hub_sim_options *trouble)
{
	is_in_trouble = trouble != NULL;
	for (size_t i = 0; i < sizeof talks / sizeof talks[0]; i++)
		cr_assert_eq(hub_sim_search(1, worlds, trouble, hold, &talks[i]), 0, "%s",
			hub_sim_report());
}

Test(protocol, answers_as_it_says)
{
	search(3, NULL);
}

Test(protocol, never_answers_wrongly)
{
	search(100, &hub_sim_trouble);
}
