#include "master/ctl/await.h"

#include <criterion/criterion.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/hubbub-await-XXXXXX";
static char path[64];
static char message[256];

static void
begin(void)
{
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/control", folder);
}

static void
end(void)
{
	unlink(path);
	rmdir(folder);
}

TestSuite(await, .init = begin, .fini = end, .timeout = 60);

/* Whose line comes in pieces. Closed before it is read, a connection would be reset. */
static bool
has_asked(int client)
{
	char byte = 0;

	while (byte != '\n')
		if (read(client, &byte, 1) != 1)
			return false;
	return true;
}

/* A server whose socket is there after a while, and which is ready when it is asked a second
 * time. */
static void
serve_late(void)
{
	static const char *const answers[] = {"|{}\n+not ready\n", "|{}\n+ready\n"};
	struct sockaddr_un name = {.sun_family = AF_UNIX};
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	usleep(300 * 1000);
	snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
	if (bind(listener, (struct sockaddr *)&name, sizeof name) != 0 || listen(listener, 4) != 0)
		_exit(1);
	for (int i = 0; i < 2; i++) {
		int client = accept(listener, NULL, NULL);

		if (!has_asked(client) || write(client, answers[i], strlen(answers[i])) < 0)
			_exit(2);
		close(client);
	}
	_exit(0);
}

Test(await, asks_until_there_is_a_server_and_it_is_ready)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0)
		serve_late();
	cr_assert_eq(await_ready(path, 0, 30, message, sizeof message), 0, "%s", message);
	cr_assert_str_eq(message, "ready");
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0, "it was asked twice");
}

Test(await, says_why_not_when_the_time_is_up)
{
	cr_assert_eq(await_ready(path, 0, 1, message, sizeof message), 1);
	cr_assert_not_null(strstr(message, "not ready after 1 second (--timeout): cannot talk to"),
		"%s", message);
	cr_assert_not_null(strstr(message, path), "%s", message);
}

Test(await, a_process_that_has_ended_is_given_up_at_once)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	/* Also once it is reaped. */
	for (int i = 0; i < 2; i++) {
		cr_assert_eq(await_ready(NULL, child, 60, message, sizeof message), 1);
		cr_assert_not_null(strstr(message, "has ended"), "%s", message);
		waitpid(child, NULL, 0);
	}
}
