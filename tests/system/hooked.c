/* A service with every hook and every kind of background function, for the tests of these
 * (test_hooks.c, test_background.c). Each hook prints a line, "hub_stop 0.1 of 2": in hub 1 of
 * worker 0, of generation 2; each background function prints one when it begins and one when it
 * ends. Options make hooks fail, wait until they are killed, hang for good, block their hub, exit,
 * or fork a child that returns, too; functions hang, too. A client gets a line with where it is
 * served (hubbub_self), and all that it sends. */
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

struct hooked {
	/* The names of hooks, or "". */
	const char *fails, *waits, *hangs, *blocks, *exits, *forks;
	unsigned spares; /* workers from 0 on whose hooks do nothing of that */
	bool has_store;  /* worker_start has opened it */
};

/* Returns false if nobody takes the line. */
static bool
say(const char *what)
{
	const struct hubbub_self *self = hubbub_self();
	char line[64];
	int length = snprintf(line, sizeof line, "%s %u.%u of %u\n", what, self->worker, self->hub,
		self->generation);

	return write(STDERR_FILENO, line, (size_t)length) == length;
}

static void
fork_child(void)
{
	pid_t child = fork();

	if (child > 0)
		waitpid(child, NULL, 0);
}

static const char *
run(const char *name, const struct hooked *hooked)
{
	if (!say(name))
		return "cannot print";
	hub_sleep(10 * HUB_MILLISECOND);
	if (hubbub_self()->worker < hooked->spares)
		return NULL;
	if (strcmp(hooked->blocks, name) == 0)
		poll(NULL, 0, -1);
	if (strcmp(hooked->exits, name) == 0)
		exit(3);
	if (strcmp(hooked->forks, name) == 0)
		fork_child();
	if (strcmp(hooked->waits, name) == 0)
		hub_sleep(HUB_FOREVER);
	while (strcmp(hooked->hangs, name) == 0)
		hub_sleep(HUB_MILLISECOND);
	return strcmp(hooked->fails, name) == 0 ? hubbub_why("%s was told to fail", name) : NULL;
}

static const char *
worker_start(void *context)
{
	struct hooked *hooked = context;

	hooked->has_store = true;
	return run("worker_start", hooked);
}

static const char *
hub_start(void *context)
{
	const struct hooked *hooked = context;

	return hooked->has_store ? run("hub_start", hooked) : "there is no store";
}

static const char *
reloaded(void *context)
{
	return run("reloaded", context);
}

static const char *
draining(void *context)
{
	return run("draining", context);
}

static const char *
hub_stop(void *context)
{
	return run("hub_stop", context);
}

static const char *
worker_stop(void *context)
{
	return run("worker_stop", context);
}

/* What a background function does. */
static const char *
last(const char *name, const struct hooked *hooked)
{
	char line[32];

	snprintf(line, sizeof line, "%s begins", name);
	say(line);
	hub_sleep(HUB_FOREVER);
	while (strcmp(hooked->hangs, name) == 0) {
		hub_catch_kill();
		hub_sleep(HUB_MILLISECOND);
	}
	snprintf(line, sizeof line, "%s ends", name);
	say(line);
	return NULL;
}

static const char *
each_hub(void *context)
{
	return last("each_hub", context);
}

static const char *
each_worker(void *context)
{
	return last("each_worker", context);
}

static const char *
one_of_server(void *context)
{
	return last("one_of_server", context);
}

static void
serve(int client, void *context)
{
	const struct hubbub_self *self = hubbub_self();
	const struct hooked *hooked = context;
	char bytes[256];
	int length = snprintf(bytes, sizeof bytes, "%u %u %u %u %u\n", self->worker, self->hub,
		self->generation, self->workers, self->hubs);
	ssize_t got = length;

	do
		hub_send(client, bytes, (size_t)got, 0);
	while ((got = hub_recv(client, bytes, sizeof bytes, 0)) > 0);
	if (strcmp(hooked->forks, "serve") == 0)
		fork_child();
	if (strcmp(hooked->waits, "serve") != 0)
		return;
	hub_sleep(HUB_FOREVER);
	say("serve ends");
}

#define HOOK_OPTION(option, text, field)                                                           \
	{                                                                                          \
		.name = (option), .values = "HOOK", .help = (text), .kind = HUBBUB_STRING,         \
		HUBBUB_FIELD(struct hooked, field), .standard = "", .most = 20                     \
	}

int
main(int argc, char **argv)
{
	static struct hooked hooked;
	static const struct hubbub_option options[] = {
		HOOK_OPTION("fails", "A hook that fails", fails),
		HOOK_OPTION("waits", "A hook, or serve, that waits until it is killed", waits),
		HOOK_OPTION("hangs", "A hook that does not end when it is killed", hangs),
		HOOK_OPTION("blocks", "A hook that blocks its hub", blocks),
		HOOK_OPTION("exits", "A hook that exits", exits),
		HOOK_OPTION("forks", "A hook, or serve, that forks a child which returns", forks),
		{.name = "spares",
			.values = "N",
			.help = "Workers from 0 on that do nothing of that",
			.kind = HUBBUB_NUMBER,
			HUBBUB_FIELD(struct hooked, spares),
			.standard = "0"},
		{0}};
	static const struct hubbub_background background[] = {
		{.name = "each_hub", .run = each_hub, .where = HUBBUB_EACH_HUB},
		{.name = "each_worker", .run = each_worker, .where = HUBBUB_EACH_WORKER},
		{.name = "one_of_server", .run = one_of_server, .where = HUBBUB_ONE_OF_SERVER},
		{0}};
	static const struct hubbub_service service = {.name = "hooked",
		.version = "1.0",
		.listen = "127.0.0.1:0",
		.serve = serve,
		.context = &hooked,
		.context_size = sizeof hooked,
		.options = options,
		.hooks = {.worker_start = worker_start,
			.hub_start = hub_start,
			.reloaded = reloaded,
			.draining = draining,
			.hub_stop = hub_stop,
			.worker_stop = worker_stop},
		.background = background};

	return hubbub_main(argc, argv, &service);
}
