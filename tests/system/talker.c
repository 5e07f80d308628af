/* A service that prints, logs and ends in all ways, as its client tells it by lines, for the tests
 * of the log (test_captured.c). Each command is answered by "done". */
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Prints lines of 100 bytes. */
static void
print_many(long count)
{
	for (long i = 0; i < count; i++)
		printf("line %08ld %085d\n", i, 0);
}

static void
end_by(const char *how)
{
	printf("half of");
	fflush(stdout);
	if (strcmp(how, "kill") == 0)
		raise(SIGKILL);
	else if (strcmp(how, "abort") == 0)
		abort();
	else if (strcmp(how, "exit") == 0)
		_exit(3);
}

static void
obey(int client, const char *command, const char *rest)
{
	if (strcmp(command, "print") == 0)
		printf("%s\n", rest);
	else if (strcmp(command, "complain") == 0)
		fprintf(stderr, "%s\n", rest);
	else if (strcmp(command, "log") == 0)
		hubbub_log(HUBBUB_INFO, "asked client=%d what=%s", client, rest);
	else if (strcmp(command, "say") == 0)
		hubbub_log_at(NULL, HUBBUB_WARNING, "%s", rest);
	else if (strcmp(command, "start") == 0 && system(rest) == -1)
		perror("system");
	else if (strcmp(command, "many") == 0)
		print_many(atol(rest));
	else if (strcmp(command, "end") == 0)
		end_by(rest);
}

static void
serve(int client, void *context)
{
	struct hub_stream *stream = hub_stream_new(client, NULL);
	char *line;

	(void)context;
	while (stream != NULL && (line = hub_stream_read_line(stream, NULL)) != NULL) {
		char *rest = strchr(line, ' ');

		if (rest != NULL)
			*rest++ = '\0';
		obey(client, line, rest != NULL ? rest : "");
		hub_stream_printf(stream, "done\n");
	}
	hub_stream_close(stream);
}

int
main(int argc, char **argv)
{
	const char *name = getenv("TALKER_NAME"); /* may be wrong */
	const struct hubbub_service talker = {.name = name != NULL ? name : "talker",
		.version = "1.0",
		.listen = "127.0.0.1:0",
		.serve = serve};

	return hubbub_main(argc, argv, &talker);
}
