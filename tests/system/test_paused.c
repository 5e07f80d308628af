/* hubbub-ctl, stopped together with its server, as when their container or machine pauses. The test
 * is the server. */
#include <criterion/criterion.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/nap.h"
#include "tests/support/server.h"

#define PATIENCE 5 /* seconds that status waits */

static struct server server;
static struct program ctl;
static int listener, client;

static void
begin(void)
{
	char *argv[] = {program_path("hubbub-ctl"), "--socket", server.control, "status", NULL};
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	char line[64];

	cr_assert(server_make_folder(&server));
	snprintf(name.sun_path, sizeof name.sun_path, "%s", server.control);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&name, sizeof name), 0);
	cr_assert_eq(listen(listener, 4), 0);
	cr_assert(program_start(&ctl, argv, 0));
	client = accept(listener, NULL, NULL);
	cr_assert_gt(recv(client, line, sizeof line, 0), 0);
}

static void
end(void)
{
	program_end(&ctl);
	close(client);
	close(listener);
	server_clean(&server);
}

TestSuite(paused, .init = begin, .fini = end, .timeout = 120);

/* It cannot know how long the server was stopped, too. */
Test(paused, a_pause_of_both_is_no_silence)
{
	static const char answer[] = "+ready\n";

	nap(.5);
	cr_assert_eq(kill(ctl.pid, SIGSTOP), 0);
	nap(PATIENCE + 1);
	cr_assert_eq(kill(ctl.pid, SIGCONT), 0);
	/* Until it has looked, and found nothing. */
	nap(.5);
	cr_assert_eq(
		send(client, answer, sizeof answer - 1, MSG_NOSIGNAL), (ssize_t)sizeof answer - 1);
	cr_assert_eq(program_wait(&ctl, 30), 0, "%s", ctl.text);
}

Test(paused, a_server_that_is_silent_after_it_is_given_up)
{
	nap(.5);
	cr_assert_eq(kill(ctl.pid, SIGSTOP), 0);
	nap(PATIENCE + 1);
	cr_assert_eq(kill(ctl.pid, SIGCONT), 0);
	cr_assert_eq(program_wait(&ctl, 30), 1, "%s", ctl.text);
	cr_assert_not_null(strstr(ctl.text, "does not answer"), "%s", ctl.text);
}
