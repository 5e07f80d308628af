/* hubbub-echo: sends back what it receives, in upper case or as it is. */
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define BUFFER_SIZE ((size_t)64 * 1024)

struct echo {
	bool is_verbatim;
};

static void
upper(char *text, size_t length)
{
	/* Without branches, so that the compiler makes vectors of it. */
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)text[i];

		text[i] = (char)(c - ((unsigned char)(c - 'a') < 26 ? 'a' - 'A' : 0));
	}
}

/* The peer does not read as fast as it writes: keep the rest until it does, and read no more. */
static bool
send_rest(int client, const char *buffer, size_t length)
{
	char *rest = malloc(length);
	bool is_sent;

	if (rest == NULL)
		return false;
	memcpy(rest, buffer, length);
	is_sent = hub_send(client, rest, length, 0) == (ssize_t)length;
	free(rest);
	return is_sent;
}

/* One buffer per thread serves every connection, for hub_recv does not switch once it has data, nor
 * does hub_send with MSG_DONTWAIT: so an idle connection keeps no buffer, nor stack for one. */
static void
serve(int client, void *context)
{
	static _Thread_local char buffer[BUFFER_SIZE];
	const struct echo *echo = context;
	ssize_t received;

	while ((received = hub_recv(client, buffer, sizeof buffer, 0)) > 0) {
		ssize_t sent;

		if (!echo->is_verbatim)
			upper(buffer, (size_t)received);
		sent = hub_send(client, buffer, (size_t)received, MSG_DONTWAIT);
		if (sent == received)
			continue;
		if (sent < 0)
			sent = 0; /* full, or broken, which send_rest finds out */
		if (!send_rest(client, buffer + sent, (size_t)(received - sent)))
			return;
	}
}

static const char *
set_reply(const char *value, void *context)
{
	struct echo *echo = context;

	echo->is_verbatim = strcmp(value, "verbatim") == 0;
	return echo->is_verbatim || strcmp(value, "upper") == 0 ? NULL : "'upper' or 'verbatim'";
}

int
main(int argc, char **argv)
{
	static struct echo echo;
	static const struct hubbub_option options[] = {
		{"reply", "upper|verbatim", "What is sent back (upper)", set_reply},
		{0},
	};
	static const struct hubbub_service service = {
		.name = "hubbub-echo",
		.version = HUBBUB_VERSION,
		.listen = "127.0.0.1:9090",
		.serve = serve,
		.context = &echo,
		.options = options,
	};

	return hubbub_main(argc, argv, &service);
}
