#include "master/ctl/dialogue.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/hubbub-dialogue-XXXXXX";
static char path[64];
static int listener;
static char heard[256]; /* the lines before the last one, each with its kind */

static void
begin(void)
{
	struct sockaddr_un name = {.sun_family = AF_UNIX};

	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/control", folder);
	strcpy(name.sun_path, path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	cr_assert_eq(bind(listener, (struct sockaddr *)&name, sizeof name), 0);
}

static void
end(void)
{
	close(listener);
	unlink(path);
	rmdir(folder);
}

TestSuite(dialogue, .init = begin, .fini = end, .timeout = 60);

static void
hear(char kind, const char *line, void *context)
{
	size_t length = strlen(heard);

	(void)context;
	snprintf(heard + length, sizeof heard - length, "%c%s; ", kind, line);
}

/* With the fields that a caller fills in. */
static struct dialogue
dialogue_with(int patience)
{
	return (struct dialogue){
		.path = path, .request = "ask", .patience = patience, .limit = 50, .hear = hear};
}

/* Takes the client, with its request. Closed before that is read, it would be reset. */
static int
take(void)
{
	int client = accept(listener, NULL, NULL);
	char byte = 0;

	while (byte != '\n')
		if (read(client, &byte, 1) != 1)
			return -1;
	return client;
}

/* Answers a client so, and ends. The process that listens is the server. */
static void
serve(const char *answer, int ready)
{
	int client;

	listen(listener, 4);
	close(ready);
	client = take();
	_exit(write(client, answer, strlen(answer)) != (ssize_t)strlen(answer));
}

/* Talks to a server that answers so, and then ends: its last line may be cut off. */
static int
talk(struct dialogue *dialogue, const char *answer)
{
	int pipes[2], result;
	pid_t server;
	char byte;

	cr_assert_eq(pipe(pipes), 0);
	server = fork();
	if (server == 0)
		serve(answer, pipes[1]);
	close(pipes[1]);
	cr_assert_eq(read(pipes[0], &byte, 1), 0);
	close(pipes[0]);
	heard[0] = '\0';
	*dialogue = dialogue_with(30);
	result = dialogue_run(dialogue);
	cr_assert_eq(waitpid(server, NULL, 0), server);
	return result;
}

Test(dialogue, ends_with_its_last_line)
{
	struct dialogue dialogue;

	cr_assert_eq(talk(&dialogue, "|first\n-half\n|\n+all\n"), 0);
	cr_assert_str_eq(heard, "|first; -half; |; ");
	cr_assert_str_eq(dialogue.message, "all");
	cr_assert_eq(talk(&dialogue, "!busy\n+done\n"), 1);
	cr_assert_str_eq(dialogue.message, "busy");
	cr_assert_eq(talk(&dialogue, "?what\x1b[2J\n"), 2);
	cr_assert_str_eq(dialogue.message, "what?[2J");
}

/* Half a state is no JSON, and half a last line may be of any answer. */
Test(dialogue, a_line_that_is_cut_off_is_none)
{
	static const char *const answers[] = {"|one\n+", "|one\n+don", "|one\n|tw", "|one\n"};
	struct dialogue dialogue;

	for (size_t i = 0; i < sizeof answers / sizeof answers[0]; i++) {
		const char *answer = answers[i];

		cr_assert_eq(talk(&dialogue, answer), 1, "'%s'", answer);
		cr_assert_str_eq(heard, "|one; ", "'%s'", answer);
		cr_assert_not_null(strstr(dialogue.message, "without an answer"), "'%s': %s",
			answer, dialogue.message);
	}
}

Test(dialogue, a_server_that_is_silent_is_given_up)
{
	struct dialogue dialogue = dialogue_with(1);

	cr_assert_eq(listen(listener, 4), 0);
	cr_assert_eq(dialogue_run(&dialogue), 1);
	cr_assert_not_null(strstr(dialogue.message, "does not answer, and has begun nothing"), "%s",
		dialogue.message);
}
