/* The texts that every server's --help and --version have. */
#include "master/start/options_words.h"

#include <argp.h>
#include <ev.h>
#include <stdio.h>

#include "hub/base/allocator.h"
#include "master/base/commit.h"

/* What most servers need. */
static const char *const first[] = {"listen", "processes", "threads", "max-connections",
	"idle-timeout", "drain-timeout", "tls-cert", "tls-key", "admin", "control", "user",
	"log-level", "check", "print-config", NULL};

static nearest_synonym synonyms[] = {{"port", "listen"}, {"host", "listen"}, {"bind", "listen"},
	{"address", "listen"}, {"workers", "processes"}, {"cert", "tls-cert"}, {NULL, NULL}};

static const struct hubbub_service *version_of;

static void
print_version(FILE *stream, struct argp_state *state)
{
	(void)state;
	fprintf(stream, "%s %s\n", version_of->name, version_of->version);
	fprintf(stream, "hubbub %s%s\nlibev %d.%d with %s, %s, %s, %s%s\n", HUBBUB_VERSION,
		commit_text(), ev_version_major(), ev_version_minor(),
		ev_supported_backends() & EVBACKEND_EPOLL ? "epoll" : "poll", allocator_name(),
		HUBBUB_COMPILER, HUBBUB_ARCHITECTURE, HUBBUB_SANITIZE_NAME);
}

void
options_words_set(struct table *table, const struct hubbub_service *service)
{
	static char description[1536], brief[512];

	snprintf(description, sizeof description,
		"%s serves TCP on every core: a master process, worker processes, threads, and a "
		"coroutine per connection.\v"
		"Times are seconds, or have a unit: 10, 250ms, 5m.\n\n"
		"@FILE stands for the arguments in FILE, one a line, read again on HUP; blank "
		"lines and lines that begin with # are skipped; quotes are not special. The "
		"environment may set options, too: " OPTIONS_PREFIX "IDLE_TIMEOUT stands for "
		"--idle-timeout; " OPTIONS_PREFIX
		"LISTEN may hold several addresses with blanks between; "
		"the command line and its @FILEs win.\n\n"
		"Signals to the master: TERM stops gracefully; a second TERM, INT or QUIT at once; "
		"HUP replaces the workers; USR1 reopens the log; USR2 upgrades to the program that "
		"is now in its place; TTIN and TTOU add and remove a worker. hubbub-ctl has the "
		"commands drain, stop, reload, upgrade and scale for all but USR1.",
		service->name);
	snprintf(brief, sizeof brief,
		"Examples:\n"
		"  %s -l :9090 -p 2 -t 4 --admin=127.0.0.1:9091\n"
		"  %s -l :9443 --tls-cert=cert.pem --tls-key=key.pem @more.args\n\n"
		"--help-all lists every option: limits, TLS, load balancers, logs; @FILEs, the "
		"environment and signals. hubbub-ctl looks at a running server, and changes it.",
		service->name, service->name);
	table->first = first;
	table->brief = brief;
	table->synonyms = synonyms;
	table->description = description;
	version_of = service;
	argp_program_version_hook = print_version;
}
