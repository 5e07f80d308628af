/* One load: all that its command line says. Filled in by options.c, options_check.c and complete.c;
 * everything else only reads it. */
#ifndef HUBBUB_LOAD_LOAD_H
#define HUBBUB_LOAD_LOAD_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/io/tls.h"
#include "master/sockets/address.h"
#include "tests/load/ask/gate.h"
#include "tests/load/ask/message_form.h"
#include "tests/load/ask/plan.h"
#include "tests/load/ask/reply_form.h"
#include "tests/load/ask/requests.h"
#include "tests/load/ask/sizes.h"
#include "tests/load/ask/units.h"

#define LOAD_TARGETS_MAX 64
#define LOAD_GATES_MAX 32
#define LOAD_PERCENTILES_MAX 12
#define LOAD_CPUS_MAX 256
#define LOAD_SOURCES_MAX 256
#define LOAD_SHAPES_MAX 64
#define LOAD_THREADS_MAX 256
#define LOAD_PROCESSES_MAX 256
#define LOAD_CONNECTIONS_MAX 4000000
#define LOAD_REPEAT_MAX 1000
#define LOAD_ALPN_MAX 8    /* protocols that --alpn names */
#define LOAD_SAMPLES_MIN 5 /* runs or intervals that a result needs to be compared */
#define LOAD_NEVER INT64_MAX

/* Exit codes of all commands. */
enum load_exit {
	LOAD_DONE = 0,
	LOAD_FAILED = 1,
	LOAD_USAGE = 2,
	LOAD_BREACHED = 3, /* a gate, or errors */
	LOAD_INVALID = 4,  /* the measurement cannot be trusted */
	LOAD_CORRUPT = 5,
	LOAD_SIGNALLED = 128
};

enum load_close { LOAD_CLOSE_FIN, LOAD_CLOSE_RST, LOAD_CLOSE_HALF, LOAD_CLOSE_MAX };
extern const char *const load_close_names[LOAD_CLOSE_MAX];

enum load_color { LOAD_COLOR_AUTO, LOAD_COLOR_ALWAYS, LOAD_COLOR_NEVER, LOAD_COLOR_MAX };
extern const char *const load_color_names[LOAD_COLOR_MAX];

/* The PROXY header before all else on each connection. */
enum load_proxy { LOAD_PROXY_OFF, LOAD_PROXY_V1, LOAD_PROXY_V2, LOAD_PROXY_MAX };
extern const char *const load_proxy_names[LOAD_PROXY_MAX];

/* How many processes, and threads in each, a server has. */
struct load_shape {
	unsigned processes;
	unsigned threads;
};

/* All times are in nanoseconds. */
struct load {
	struct address targets[LOAD_TARGETS_MAX];
	char target_text[LOAD_TARGETS_MAX][ADDRESS_TEXT_SIZE];
	unsigned target_count;

	/* shape */
	bool is_open;   /* an open loop; else a closed one */
	unsigned depth; /* closed loop: messages in flight per connection */
	struct plan_rate rate;
	enum plan_arrivals arrivals;
	unsigned burst; /* messages of a burst, if arrivals are bursts */
	char rate_text[64];
	char arrivals_text[32];
	struct gate search; /* the goal; count is 0 if there is none */

	/* connections */
	unsigned connections; /* active ones */
	unsigned idle;        /* connections that are only held */
	bool redials;         /* opens idle connections again that end */
	int64_t roam;         /* messages before a change to an idle connection; 0: none */
	unsigned threads;     /* in each process */
	unsigned processes;
	uint64_t connect_rate;  /* per second, of all threads together */
	bool limits_reconnects; /* connect_rate, as the user set it, applies to reconnects, too */
	int64_t connect_timeout;
	bool is_datagrams;   /* all targets are "udp:", or none is */
	struct hub_tls *tls; /* of all connections; NULL for none */
	bool has_tls;        /* --tls was given */
	bool trusts_anybody; /* no certificate is verified */
	/* PEM file of trusted certificates; NULL: the system's. Borrowed. */
	const char *authorities;
	/* PEM files of the clients' certificate and its key; NULL: they have none. Borrowed. */
	const char *certificate;
	const char *key;
	/* The host of each target as the user wrote it: the name that its certificate must have. */
	char tls_name[LOAD_TARGETS_MAX][ADDRESS_TEXT_SIZE * 2];
	char alpn_text[256]; /* of --alpn, as given; empty: no protocol is offered */
	char alpn_names[256];
	const char *alpn[LOAD_ALPN_MAX + 1]; /* in alpn_names; ended by NULL */
	enum load_proxy proxy_header;
	int64_t churn;    /* messages before a reconnect; 0: connect and close only; -1: no limit */
	int64_t lifetime; /* of a connection; LOAD_NEVER: no limit */
	enum load_close close;
	struct in_addr sources[LOAD_SOURCES_MAX];
	unsigned source_count; /* 0: the kernel chooses */
	unsigned slow;         /* the first so many connections read slowly */
	double slow_rate;      /* bytes per second of each slow connection */

	/* messages */
	struct sizes sizes;
	char sizes_text[128];
	enum message_framing framing;
	enum message_verify verify;
	struct requests *requests; /* what is sent and expected; borrowed, never NULL */
	struct reply_form reply;
	char reply_text[128];
	unsigned max_inflight; /* per connection */
	bool sheds;            /* drops messages beyond max_inflight; else they wait */
	int64_t timeout;       /* for a reply, from the actual send */
	int64_t deadline;      /* from the intended time to the send; LOAD_NEVER: none */
	bool nodelay;
	int send_buffer;    /* bytes; 0: the kernel's default */
	int receive_buffer; /* bytes; 0: the kernel's default */
	uint64_t seed;

	/* duration */
	int64_t warmup;
	int64_t duration; /* without the warm-up; LOAD_NEVER if only count ends the run */
	uint64_t count;   /* messages in all; 0: no limit */
	unsigned repeat;  /* runs, at least 1 */
	int64_t cooldown; /* between runs */
	int64_t start_at; /* of the load: wall clock, nanoseconds since 1970; 0: at once */

	/* output; paths are borrowed, NULL for none, "-" for stdout */
	const char *output;
	bool is_json; /* --json was given and, being last, set output to "-" */
	const char *stream;
	const char *hdr;
	const char *html;
	int64_t interval;
	double percentiles[LOAD_PERCENTILES_MAX]; /* 0 to 100 */
	unsigned percentile_count;
	enum units_time unit;
	bool is_plain;
	bool is_quiet;
	bool is_verbose;
	enum load_color color;

	/* gates */
	struct gate fail_if[LOAD_GATES_MAX];
	unsigned fail_if_count;
	struct gate abort_if[LOAD_GATES_MAX];
	unsigned abort_if_count;
	bool allows_errors;
	bool allows_partial;
	const char *save_baseline;
	const char *baseline;
	double max_regress; /* as a share: 0.05 is 5 % */

	/* the generator */
	unsigned cpus[LOAD_CPUS_MAX];
	unsigned cpu_count;
	bool spins;
	bool kernel_times;        /* times of arrival are the kernel's */
	double max_lag_share;     /* of the p99 of response time; used if max_lag is 0 */
	int64_t max_lag;          /* 0: max_lag_share applies */
	const char *server_stats; /* HOST:PORT of the server's --admin; NULL: none */

	/* sweep */
	struct load_shape grid[LOAD_SHAPES_MAX];
	unsigned grid_count;
	unsigned rounds;
	char **server; /* the server's command, ended by NULL; borrowed */

	bool prints_config; /* --print-config: print, and do not run */

	int argc; /* the command line, for the result; borrowed */
	char **argv;
};

#endif
