/* An echo service with a background function of which the server has one, for the tests that ask
 * whether there are never two: every few milliseconds it writes its pid to the file --turns, which
 * tests/support/turns reads. The file's name with ".trouble" behind it, if there is such a file, is
 * what it does next, once: "fails", "crashes", "blocks" its hub for ever, or "stays" when it is
 * killed. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TURN (3 * HUB_MILLISECOND)

struct turning {
	const char *path;
};

/* Returns whether there is such a file, which is removed. */
static bool
find_trouble(const struct turning *turning, char *trouble, size_t size)
{
	char path[256];
	ssize_t length;
	int file;

	snprintf(path, sizeof path, "%s.trouble", turning->path);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file == -1)
		return false;
	length = read(file, trouble, size - 1);
	close(file);
	trouble[length > 0 ? length : 0] = '\0';
	return length > 0 && unlink(path) == 0;
}

/* Returns 0, or -1 if the file takes nothing. */
static int
write_turn(int file)
{
	char line[16];
	int length = snprintf(line, sizeof line, "%d\n", (int)getpid());

	return write(file, line, (size_t)length) == length ? 0 : -1;
}

static const char *
take_turns_in(int file, const struct turning *turning)
{
	char trouble[16] = "";

	do {
		if (write_turn(file) != 0)
			return hubbub_why("cannot write: %s", strerror(errno));
		if (!find_trouble(turning, trouble, sizeof trouble))
			continue;
		if (strcmp(trouble, "fails") == 0)
			return "was told to fail";
		if (strcmp(trouble, "crashes") == 0)
			abort();
		if (strcmp(trouble, "blocks") == 0)
			poll(NULL, 0, -1);
	} while (hub_sleep(TURN) == 0);
	while (strcmp(trouble, "stays") == 0) {
		hub_catch_kill();
		hub_sleep(TURN);
		write_turn(file);
	}
	/* The last turn after the end of the wait. */
	write_turn(file);
	return NULL;
}

static const char *
take_turns(void *context)
{
	const struct turning *turning = context;
	int file;
	const char *why;

	if (turning->path[0] == '\0')
		return NULL;
	file = open(turning->path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (file == -1)
		return hubbub_why("cannot open %s: %s", turning->path, strerror(errno));
	why = take_turns_in(file, turning);
	close(file);
	return why;
}

static void
upper(char *bytes, size_t length)
{
	for (size_t i = 0; i < length; i++)
		bytes[i] = (char)toupper((unsigned char)bytes[i]);
}

static void
serve(int client, void *context)
{
	char bytes[1024];
	ssize_t got;

	(void)context;
	while ((got = hub_recv(client, bytes, sizeof bytes, 0)) > 0) {
		upper(bytes, (size_t)got);
		if (hub_send(client, bytes, (size_t)got, 0) != got)
			return;
	}
}

static ssize_t
answer(struct hub_datagram *datagram, size_t size, void *context)
{
	(void)size, (void)context;
	upper(datagram->data, datagram->length);
	return (ssize_t)datagram->length;
}

int
main(int argc, char **argv)
{
	static struct turning turning;
	static const struct hubbub_option options[] = {{.name = "turns",
							       .values = "FILE",
							       .help = "File of the turns",
							       .kind = HUBBUB_STRING,
							       HUBBUB_FIELD(struct turning, path),
							       .standard = ""},
		{0}};
	static const struct hubbub_background background[] = {
		{.name = "turns", .run = take_turns, .where = HUBBUB_ONE_OF_SERVER}, {0}};
	static const struct hubbub_service service = {.name = "turns",
		.version = "1.0",
		.listen = "127.0.0.1:0",
		.serve = serve,
		.answer = answer,
		.context = &turning,
		.context_size = sizeof turning,
		.options = options,
		.background = background};

	return hubbub_main(argc, argv, &service);
}
