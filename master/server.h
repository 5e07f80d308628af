/* <hubbub/server.h>: a whole server in one call.
 *
 *	static void
 *	serve(int client, void *context)
 *	{
 *		... hub_recv(client, ...) ... hub_send(client, ...) ...
 *	}
 *
 *	int
 *	main(int argc, char **argv)
 *	{
 *		static const struct hubbub_service service = {
 *			.name = "hello", .version = "1.0", .listen = "127.0.0.1:9090", .serve = serve};
 *
 *		return hubbub_main(argc, argv, &service);
 *	}
 *
 * hubbub_peer (<hubbub/peer.h>) tells who the client is. With --tls-cert the bytes are encrypted on their way, which serve
 * need not know.
 *
 * The program has all options of hubbub-echo (--help shows them): a master process forks workers,
 * each runs threads, each thread a hub, and serve runs in a coroutine of its own per connection. */
#ifndef HUBBUB_SERVER_H
#define HUBBUB_SERVER_H

#include <hubbub/api.h>
#include <hubbub/io/server.h>
#include <hubbub/peer.h>
#include <stddef.h>
#include <sys/types.h>

HUBBUB_API_BEGIN

/* An option of the service itself, next to those that every server has. */
struct hubbub_option {
	const char *name;   /* long name without dashes: "reply" */
	const char *values; /* shown in the help: "upper|verbatim" */
	const char *help;
	/* Called in the master before workers start, and again on a reload, once each time the
	 * option is given. Returns NULL, or what the value should have been: "'upper' or 'verbatim'". */
	const char *(*set)(const char *value, void *context);
};

/* All strings, the options and the context are borrowed for the life of the process. */
struct hubbub_service {
	const char *name; /* in help, logs, metrics */
	const char *version;
	const char *listen; /* default address: "127.0.0.1:9090" */
	/* One connection. Runs as a coroutine: the blocking functions of <hubbub/hub.h> suspend it,
	 * other blocking calls stop its whole hub. Many run at once, in several threads and
	 * processes. client is closed when this returns; do not close it. When the server stops for
	 * good, its blocking calls fail with ECANCELED: return then. */
	void (*serve)(int client, void *context);
	void *context;
	const struct hubbub_option *options; /* ended by one without a name; NULL for none */
	/* Of what context points to. On a reload (HUP) its first state is put back before options
	 * are set again, so that one that is no longer given has its default, and a reload that
	 * fails changes nothing. 0: options are set again on top of what they are. */
	size_t context_size;
	/* One datagram, for addresses udp:HOST:PORT; NULL: such addresses are refused. The answer is written over
	 * datagram->data, where there is room for size bytes. A hub's datagrams come one after the other: the next one
	 * waits until this returns. Returns the answer's length, or -1 for none; datagram->socket and hub_sendto serve for
	 * answers that come later, or go elsewhere. */
	ssize_t (*answer)(struct hub_datagram *datagram, size_t size, void *context);
};

/* Runs the server as the command line says; call it from main, before any thread is started.
 * Returns the exit code: 0 done, 1 could not run, 2 bad usage, 128 + signal when stopped at once.
 * --help, --version and bad options end the process. In a worker process it never returns.
 * Errors are printed or logged. */
int hubbub_main(int argc, char **argv, const struct hubbub_service *service);

HUBBUB_API_END

#endif
