/* One load: all that its command line says. Filled by options.c, read by everyone. */
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
#define LOAD_SAMPLES_MIN 5 /* runs or intervals, of a result that is compared */
#define LOAD_NEVER INT64_MAX

/* Exit codes of every command. */
enum load_exit {
	LOAD_DONE = 0,
	LOAD_FAILED = 1,
	LOAD_USAGE = 2,
	LOAD_BREACHED = 3, /* a gate */
	LOAD_INVALID = 4,  /* the measurement cannot be trusted */
	LOAD_CORRUPT = 5,
	LOAD_SIGNALLED = 128
};

enum load_close { LOAD_CLOSE_FIN, LOAD_CLOSE_RST, LOAD_CLOSE_HALF, LOAD_CLOSE_MAX };
extern const char *const load_close_names[LOAD_CLOSE_MAX];

enum load_color { LOAD_COLOR_AUTO, LOAD_COLOR_ALWAYS, LOAD_COLOR_NEVER, LOAD_COLOR_MAX };
extern const char *const load_color_names[LOAD_COLOR_MAX];

/* Processes and threads of a server. */
struct load_shape {
	unsigned processes;
	unsigned threads;
};

/* All times in nanoseconds. */
struct load {
	struct address targets[LOAD_TARGETS_MAX];
	char target_text[LOAD_TARGETS_MAX][ADDRESS_TEXT_SIZE];
	unsigned target_count;

	/* shape */
	bool is_open;   /* loop */
	unsigned depth; /* of a closed loop: messages in flight per connection */
	struct plan_rate rate;
	enum plan_arrivals arrivals;
	unsigned burst;
	char rate_text[64];
	char arrivals_text[32];
	struct gate search; /* count is 0 if there is none */

	/* connections */
	unsigned connections;
	unsigned idle;
	unsigned threads; /* in each process */
	unsigned processes;
	uint64_t connect_rate;
	bool limits_reconnects; /* by that rate, too, because it was asked for */
	int64_t connect_timeout;
	bool is_datagrams;   /* all targets are udp: */
	struct hub_tls *tls; /* of all connections; NULL for none */
	bool has_tls;        /* asked for */
	bool trusts_anybody;
	const char *authorities;                                /* PEM file; NULL: the system's */
	char tls_name[LOAD_TARGETS_MAX][ADDRESS_TEXT_SIZE * 2]; /* the host, as it was written */
	int64_t churn;    /* messages per connection; -1: no end */
	int64_t lifetime; /* LOAD_NEVER: no end */
	enum load_close close;
	struct in_addr sources[LOAD_SOURCES_MAX];
	unsigned source_count; /* 0: left to the kernel */
	unsigned slow;         /* how many connections read slowly */
	double slow_rate;      /* bytes per second */

	/* messages */
	struct sizes sizes;
	char sizes_text[128];
	enum message_framing framing;
	enum message_verify verify;
	unsigned max_inflight; /* per connection */
	bool sheds;            /* what is beyond it, instead of queueing */
	int64_t timeout;
	int64_t deadline; /* LOAD_NEVER: none */
	bool nodelay;
	int send_buffer; /* bytes; 0: the kernel's */
	int receive_buffer;
	uint64_t seed;

	/* duration */
	int64_t warmup;
	int64_t duration; /* LOAD_NEVER with a count */
	uint64_t count;   /* 0: no limit */
	unsigned repeat;
	int64_t cooldown;

	/* output; paths may be NULL, "-" is stdout */
	const char *output;
	bool is_json; /* output was set by --json */
	const char *stream;
	const char *hdr;
	const char *html;
	int64_t interval;
	double percentiles[LOAD_PERCENTILES_MAX]; /* of 100 */
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
	double max_regress; /* share */

	/* the generator */
	unsigned cpus[LOAD_CPUS_MAX];
	unsigned cpu_count;
	bool spins;
	bool kernel_times;    /* of arrival */
	double max_lag_share; /* of the p99 of response time; used where max_lag is 0 */
	int64_t max_lag;
	const char *server_stats; /* HOST:PORT of the server's --admin; may be NULL */

	/* sweep */
	struct load_shape grid[LOAD_SHAPES_MAX];
	unsigned grid_count;
	unsigned rounds;
	char **server; /* its command, ended by NULL; borrowed */

	bool prints_config; /* instead of a run */

	int argc; /* the command line, borrowed */
	char **argv;
};

#endif
