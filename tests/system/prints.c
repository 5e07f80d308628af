/* A service that prints, for the tests of output (test_output.c): by standard output, to the file
 * that PRINTS_FILE names, and to the pipe that PRINTS_PIPE names, if it is set. */
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static FILE *stream;

static void
serve(int client, void *context)
{
	(void)context;
	printf("served\n");
	if (stream != NULL)
		fprintf(stream, "served\n");
	hub_send(client, "ok", 2, 0);
}

int
main(int argc, char **argv)
{
	static const struct hubbub_service prints = {
		.name = "prints", .version = "1.0", .listen = "127.0.0.1:0", .serve = serve};
	const char *file = getenv("PRINTS_FILE"), *pipe = getenv("PRINTS_PIPE");

	if (file == NULL || freopen(file, "a", stdout) == NULL)
		return 1;
	if (pipe != NULL)
		stream = fopen(pipe, "a");
	printf("begun\n");
	return hubbub_main(argc, argv, &prints);
}
