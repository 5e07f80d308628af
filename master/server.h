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
 * hubbub_peer (<hubbub/peer.h>) tells who the client is; hubbub_busy, hubbub_idle,
 * hubbub_asked and hubbub_is_draining (<hubbub/busy.h>) are for services that do more than answer
 * one request after the other. With --tls-cert the bytes are encrypted on their way, which serve
 * need not know.
 *
 * The program has the options of every server (--help shows them; of hubbub-echo's only --reply is
 * its own): a master process forks workers, each runs threads, each thread a hub, and serve runs in
 * a coroutine of its own per connection. */
#ifndef HUBBUB_SERVER_H
#define HUBBUB_SERVER_H

#include <hubbub/api.h>
#include <hubbub/busy.h>
#include <hubbub/io/server.h>
#include <hubbub/peer.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

HUBBUB_API_BEGIN

/* What an option takes, and the type of the field of the context that it is read into. */
enum hubbub_kind {
	HUBBUB_CALL,     /* what set makes of it; no field */
	HUBBUB_FLAG,     /* no value; bool */
	HUBBUB_NUMBER,   /* a whole number, as 50, 1.5k or 64Ki; unsigned or uint64_t */
	HUBBUB_SIZE,     /* bytes, as 4096 or 64K; size_t */
	HUBBUB_DURATION, /* a time, as 10 (seconds) or 250ms; int64_t, in nanoseconds */
	HUBBUB_CHOICE,   /* one of words; bool, unsigned or an enum: its index */
	HUBBUB_STRING,   /* const char *, which lives as long as the options do */
	HUBBUB_LIST      /* may be repeated; struct hubbub_list */
};

/* Whether a running server can get another value. */
enum hubbub_change {
	HUBBUB_RELOADABLE, /* by a reload */
	HUBBUB_UPGRADABLE, /* only by an upgrade: a reload with another value is refused */
	HUBBUB_FIXED,      /* by neither */
	HUBBUB_ACTION      /* it is no setting but says what to do, as --check: never from the
			      environment, and not printed */
};

#define HUBBUB_LIST_MAX 32

/* The values of an option that may be repeated, in order. */
struct hubbub_list {
	const char *items[HUBBUB_LIST_MAX];
	size_t count;
};

/* An option: a row of the table that the command line, its help, the environment, --print-config
 * and a reload's comparison are made of. The first four fields are all that an option needs whose
 * set takes it; the others are for a kind that is read into a field. Name the fields, for there may
 * be more of them one day:
 *
 *	{.name = "greeting-limit", .values = "N", .help = "Longest greeting",
 *		.kind = HUBBUB_NUMBER, HUBBUB_FIELD(struct greeter, limit),
 *		.standard = "80", .least = 1, .most = 1000}
 *
 * A field gets its value in the master before workers start, and again on a reload. A name that
 * every server has is refused at the start; one that only begins as one of those does is not. */
struct hubbub_option {
	const char *name;   /* long name without dashes: "reply" */
	const char *values; /* shown in the help: "upper|verbatim" */
	const char *help;
	/* Called in the master before workers start, and again on a reload, once each time the
	 * option is given. Returns NULL, or what the value should have been: "'upper' or
	 * 'verbatim'". Numbers have a decimal point there, whatever locale the program has set. */
	const char *(*set)(const char *value, void *context);

	enum hubbub_kind kind;
	size_t offset; /* of the field, and its size: HUBBUB_FIELD */
	size_t size;
	const char *standard; /* the value where none is given; NULL: the field stays as it is */
	/* Of a number, of bytes, of nanoseconds; of a string its length, of a list how many. most
	 * 0: no limit. */
	uint64_t least;
	uint64_t most;
	/* HUBBUB_WORDS: of a choice; of a number one that stands for 0. */
	const char *const *words;
	size_t word_count;
	enum hubbub_change change; /* other than reloadable needs a context_size, as do
				    * strings and lists */
	const char *note;    /* in the help, behind the default or instead of it: "0: never" */
	const char *also;    /* another name of it, or NULL */
	const char *implied; /* the value of one that is given without; NULL: it needs one */
	int letter;          /* 'l' for -l; 0 for none */
	int group;           /* the part of the help; 0: the first */
	void *room[6];       /* for later versions: NULL */
};

/* Of an option that is read into this member of the context's type. */
#define HUBBUB_FIELD(type, member)                                                                 \
	.offset = offsetof(type, member), .size = sizeof(((type *)0)->member)

/* Of an option that takes the words of this array. */
#define HUBBUB_WORDS(array) .words = (array), .word_count = sizeof(array) / sizeof *(array)

/* All strings, the options and the context are borrowed for the life of the process. */
struct hubbub_service {
	/* In help, logs, metrics, and the name of the control socket: 1 to 64 characters, without
	 * '/'. */
	const char *name;
	const char *version; /* not NULL */
	const char *listen;  /* default address: "127.0.0.1:9090"; NULL: --listen must be given */
	/* One connection. Runs as a coroutine: the blocking functions of <hubbub/hub.h> suspend it,
	 * other blocking calls stop its whole hub. Many run at once, in several threads and
	 * processes. client is closed when this returns; do not close it. When the server stops for
	 * good, its blocking calls fail with ECANCELED: return then. NULL: only addresses of
	 * datagrams are served. */
	void (*serve)(int client, void *context);
	/* What serve and answer are given. Every worker process has a copy, as it was when the
	 * worker was forked, which its threads share without a lock: so they read it, and do not
	 * write it. Connections of a worker that drains keep the former values. */
	void *context;
	const struct hubbub_option *options; /* ended by one without a name; NULL for none */
	/* Of what context points to. On a reload (HUP) its first state is put back before options
	 * are set again, so that one that is no longer given has its default, and a reload that
	 * fails changes nothing. 0: options are set again on top of what they are, and none may be
	 * a string or a list, whose texts last no longer than until the next reload. */
	size_t context_size;
	/* One datagram, for addresses udp:HOST:PORT; NULL: such addresses are refused. The answer
	 * is written over datagram->data, where there is room for size bytes. A hub's datagrams
	 * come one after the other: the next one waits until this returns. Returns the answer's
	 * length, or -1 for none: as for what may be an answer itself, or needs a longer answer
	 * though its sender may be forged. datagram->socket and hub_sendto serve for answers that
	 * come later, or go elsewhere. */
	ssize_t (*answer)(struct hub_datagram *datagram, size_t size, void *context);
	void *room[16]; /* for later versions: NULL */
};

/* Runs the server as the command line says; call it from main, before any thread is started.
 * Returns the exit code: 0 done, 1 could not run, 2 bad usage, 128 + signal when stopped at once.
 * A service that is wrong itself (a field is missing, an option that cannot be) is bad usage,
 * too. --help, --version and bad options end the process. In a worker process it never returns.
 * Errors are printed or logged. */
int hubbub_main(int argc, char **argv, const struct hubbub_service *service);

HUBBUB_API_END

#endif
