/* The options of every server: their rows, and the struct that has their fields. */
#ifndef HUBBUB_START_OPTIONS_ROWS_H
#define HUBBUB_START_OPTIONS_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/base/clock.h"
#include "hub/base/log.h"
#include "master/server.h"
#include "master/sockets/address.h"
#include "master/start/table.h"
#include "worker/heritage.h"

#define OPTIONS_PROCESSES_MAX 1024
#define OPTIONS_THREADS_MAX 1024

/* The addresses that an option of the master itself (--admin, --agent) names. */
struct own_addresses {
	struct address addresses[ADDRESSES_MAX];
	size_t count;
};

/* What is asked of TLS clients: nothing, a certificate if they have one, or a trusted one. */
enum tls_client { TLS_CLIENT_OFF, TLS_CLIENT_ASK, TLS_CLIENT_REQUIRE, TLS_CLIENT_MAX };

/* All settings of a server. options_read fills it in; all others read it. */
struct options {
	/* Fields of rows, as they were given. Times are in nanoseconds. Strings are borrowed from
	 * arguments, and are NULL if the option is not given. */
	struct hubbub_list listen;
	unsigned asked_processes; /* 0 for auto */
	unsigned asked_threads;
	unsigned max_connections; /* 0 for as many as the file limit allows */
	unsigned backlog;
	int64_t drain_timeout;
	int64_t drain_delay;
	int64_t hang_timeout; /* 0 for none */
	const char *tls_certificate;
	const char *tls_key;
	enum tls_client tls_client;
	const char *tls_client_ca;
	int64_t ticket_lifetime; /* 0 for no tickets */
	struct hubbub_list proxy_from;
	bool balances_by_hash;
	const char *admin;
	struct hubbub_list admin_host;
	const char *agent;
	const char *control;
	const char *pidfile;
	const char *user;
	const char *group;
	enum log_level log_level;
	enum log_format log_format;
	const char *access_log;
	bool captures;
	size_t flight_recorder; /* bytes of each hub's records; 0: it records when it is asked to */
	bool check;
	bool prints_config;

	/* What workers get: fields of rows, too, and what check_proxy and load_tls make of others:
	 * networks, and tls, which is owned. */
	struct worker_settings worker;

	/* Made of the fields above. */
	struct address addresses[ADDRESSES_MAX]; /* each once; none on a reload */
	size_t address_count;
	unsigned processes; /* chosen, if --processes is auto */
	unsigned threads;
	unsigned cpus;                 /* that the choice was based on; 0 if nothing was auto */
	struct own_addresses admin_at; /* none on a reload */
	struct own_addresses agent_at;

	struct arguments arguments; /* the command line, with its @FILEs */
	struct table_givens givens; /* where each value is from */
	/* A copy of the service's context as these options set it; owned. NULL if context_size is
	 * 0. */
	void *context;
};

/* The rows of every server, ended by a row without a name. The service's own rows have fields in
 * its context. */
extern const struct hubbub_option options_rows[];
#define OPTIONS_ROWS_MAX 64

#endif
