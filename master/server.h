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
 * hubbub_peer (<hubbub/peer.h>) tells the client's address, and hubbub_self (<hubbub/self.h>) in
 * which worker and hub it is served; hubbub_busy, hubbub_idle, hubbub_asked and hubbub_is_draining
 * (<hubbub/busy.h>) are for services that do more than answer one request after the other. With
 * --tls-cert the connection is encrypted; serve still sends and receives plain bytes, and
 * hubbub_peer_subject and hubbub_protocol tell what the handshake has settled. Hooks
 * (<hubbub/hooks.h>) run at the start and the end of workers and hubs, and background functions
 * (<hubbub/background.h>) beside the clients. Named listeners (<hubbub/listener.h>) have functions
 * of their own. hubbub_log (<hubbub/log.h>) adds lines to the server's log, a service may have
 * metrics of its own (<hubbub/metrics.h>), and operators can run commands of the service's own
 * (<hubbub/command.h>).
 *
 * The program has the options of every server, which --help lists. A master process forks workers,
 * each worker runs threads, each thread has a hub, and each connection has a coroutine that runs
 * serve. */
#ifndef HUBBUB_SERVER_H
#define HUBBUB_SERVER_H

#include <hubbub/api.h>
#include <hubbub/background.h>
#include <hubbub/busy.h>
#include <hubbub/command.h>
#include <hubbub/hooks.h>
#include <hubbub/io/server.h>
#include <hubbub/listener.h>
#include <hubbub/log.h>
#include <hubbub/metrics.h>
#include <hubbub/peer.h>
#include <hubbub/self.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

HUBBUB_API_BEGIN

/* The kind of an option: what value it takes, and the type of the context's field that gets the
 * value. */
enum hubbub_kind {
	HUBBUB_CALL,     /* set gets the value; no field */
	HUBBUB_FLAG,     /* no value; a bool, true if the option is given */
	HUBBUB_NUMBER,   /* a whole number, such as 50, 1.5k or 64Ki; unsigned or uint64_t */
	HUBBUB_SIZE,     /* bytes, such as 4096 or 64K; size_t */
	HUBBUB_DURATION, /* a time, such as 10 (seconds) or 250ms; int64_t, in nanoseconds */
	HUBBUB_CHOICE,   /* one of the words; a bool, unsigned or enum gets its index */
	HUBBUB_STRING,   /* const char *; in the master valid until the next reload */
	HUBBUB_LIST      /* may be repeated; struct hubbub_list */
};

/* How a running server can get another value of an option. */
enum hubbub_change {
	HUBBUB_RELOADABLE, /* by a reload */
	HUBBUB_UPGRADABLE, /* by an upgrade alone: a reload with another value is refused */
	HUBBUB_FIXED,      /* by neither: by a restart */
	/* Not a setting but a request, such as --check: not read from the environment, and not
	 * printed by --print-config. */
	HUBBUB_ACTION
};

#define HUBBUB_LIST_MAX 32

/* The values of an option that may be repeated, in the sequence in which they were given. */
struct hubbub_list {
	const char *items[HUBBUB_LIST_MAX];
	size_t count;
};

/* An option: a row of the table from which the command line, --help, environment variables,
 * --print-config and a reload's comparison are made. An option that set takes needs only the first
 * four fields; the others are for options whose value is stored in a field of the context. Use
 * designated initialisers, because later versions may add fields:
 *
 *	{.name = "greeting-limit", .values = "N", .help = "Longest greeting",
 *		.kind = HUBBUB_NUMBER, HUBBUB_FIELD(struct greeter, limit),
 *		.standard = "80", .least = 1, .most = 1000}
 *
 * The master stores the value in the field before workers start, and again on a reload. An option
 * with the name of one that every server has is refused at the start; its name may begin like one
 * of those. */
struct hubbub_option {
	const char *name;   /* the long name, without dashes: "reply" */
	const char *values; /* shown in the help: "upper|verbatim"; NULL: takes no value */
	const char *help;
	/* Called in the master before workers start, and again on a reload, once for each time that
	 * the option is given. Returns NULL, or, if the value is wrong, what it should have been:
	 * "'upper' or 'verbatim'". During the call numbers have a decimal point, whatever locale
	 * the program has set. */
	const char *(*set)(const char *value, void *context);

	enum hubbub_kind kind;
	size_t offset; /* of the field within the context; HUBBUB_FIELD sets offset and size */
	size_t size;   /* of the field, in bytes */
	const char *standard; /* the default, as text; NULL: the field keeps its value */
	/* The range of a number, of bytes or of nanoseconds; of a string's length; of a list's
	 * number of values (most alone). most 0: no upper limit. */
	uint64_t least;
	uint64_t most;
	/* The words of a choice; or, of a number or a duration, words that stand for 0, 1 and so
	 * on: "auto". HUBBUB_WORDS sets both. */
	const char *const *words;
	size_t word_count;
	enum hubbub_change change; /* not reloadable, a string or a list: needs a context_size */
	const char *note; /* shown in the help behind the default, or instead of it: "0: never" */
	const char *also; /* another long name, or NULL */
	const char *implied; /* the value if the option is given without one; NULL: it needs one */
	int letter;          /* 'l' for -l; 0 for none */
	int group;           /* the group in the help; 0: the first */
	void *room[6];       /* for later versions: NULL */
};

/* Initialises offset and size of an option whose field is this member of the context's type. */
#define HUBBUB_FIELD(type, member)                                                                 \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* Initialises words and word_count of an option with the words of this array. */
#define HUBBUB_WORDS(array) .words = (array), .word_count = sizeof(array) / sizeof *(array)

/* A service, as hubbub_main runs it. All strings, the tables and the context are borrowed for the
 * life of the process. */
struct hubbub_service {
	/* The service's name in help, logs, metrics and the control socket's path: 1 to 64 bytes,
	 * without '/' or control characters, beginning with neither '.' nor '-'. */
	const char *name;
	const char *version; /* shown by --version; not NULL */
	const char *listen;  /* default of --listen: "127.0.0.1:9090"; NULL: it must be given */
	/* Serves one connection; client is its socket, which is closed when serve returns: do not
	 * close it. serve runs in a coroutine: the blocking functions of <hubbub/hub.h> suspend it,
	 * any other blocking call stops its whole hub. Many calls run at the same time, in several
	 * threads and processes. When the server ends, the hub's blocking functions fail with
	 * ECANCELED: return then. NULL: the service has no connections, only datagrams, or only
	 * those of named listeners. */
	void (*serve)(int client, void *context);
	/* Passed to set, serve and answer. Each worker process has a copy of what it points to, as
	 * it was when the worker was forked; the worker's threads share that copy without a lock,
	 * so serve and answer must not write to it. After a reload, connections of former workers
	 * still see the former values. */
	void *context;
	const struct hubbub_option *options; /* ended by an option without a name; NULL for none */
	/* The size in bytes of what context points to. On a reload (HUP) the state that context had
	 * at the start is put back before options are set again: so options that are not given any
	 * more have their defaults, and a reload that fails changes nothing. 0: options are set on
	 * top of their former values, and none may be a string or a list, because their texts last
	 * only until the next reload. */
	size_t context_size;
	/* Answers one datagram of an address udp:HOST:PORT; NULL: such addresses are refused. The
	 * answer is written over datagram->data, which has room for size bytes. Returns the
	 * answer's length, or -1 to send none. Send none to a datagram that may be an answer
	 * itself, nor a long answer to a short request: its sender may be forged. A hub takes its
	 * datagrams one after the other: the next waits until this call returns. For answers that
	 * come later, or go elsewhere, use hub_sendto with datagram->socket. */
	ssize_t (*answer)(struct hub_datagram *datagram, size_t size, void *context);
	/* The protocols that the service speaks over TLS (ALPN), as clients name them, each of 1 to
	 * 255 bytes: the most preferred first, ended by NULL; NULL for none. hubbub_protocol tells
	 * which one a client and the server have chosen. */
	const char *const *protocols;
	/* Whether a client that offers other protocols alone is refused, instead of served without
	 * one. A client that offers none at all is served. */
	bool needs_protocol;
	/* How many worker processes the server has, and threads in each: for a service that keeps
	 * its state in one process (processes 1), or in one hub (threads 1, too). The command line,
	 * a scale and a reload that ask for another number are refused. 0: as operators like. */
	unsigned processes;
	unsigned threads;
	struct hubbub_hooks hooks; /* run at the start and the end of workers and hubs */
	/* Ended by a listener without a name; NULL for none. An address NAME=ADDRESS of --listen is
	 * served by the listener of that name, every other address by serve and answer; a name that
	 * is none of these is refused at the start. */
	const struct hubbub_listener *listeners;
	/* What runs besides clients, ended by a row without a name; NULL for none. */
	const struct hubbub_background *background;
	const struct hubbub_metric *metrics; /* ended by a metric without a name; NULL for none */
	/* Commands of the service's own for hubbub-ctl, and pages of the admin address, ended by a
	 * row without a name; NULL for none. */
	const struct hubbub_command *commands;
	void *room[16]; /* for later versions: NULL */
};

/* Runs the server that the command line describes. Call it from main, before any thread is started.
 * It returns when the server has ended, with the exit code: 0 it has ended as asked, 1 it could not
 * run, 2 the service record is faulty, 128 + the signal's number if a signal stopped it at once.
 * --help, --version and bad options end the process, with 0 or 2. In a worker process it never
 * returns. All errors are printed or logged. */
int hubbub_main(int argc, char **argv, const struct hubbub_service *service);

HUBBUB_API_END

#endif
