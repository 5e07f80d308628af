/* A service of one's own: the whole program. */
#include <hubbub/hub.h>
#include <hubbub/server.h>

static void
serve(int client, void *context)
{
	(void)context;
	hub_send(client, "hello\n", 6, 0);
}

int
main(int argc, char **argv)
{
	static const struct hubbub_service hello = {
		.name = "hello", .version = "1.0", .listen = "127.0.0.1:9090", .serve = serve};

	return hubbub_main(argc, argv, &hello);
}
