/* The command line of every server. */
#ifndef HUBBUB_MASTER_OPTIONS_H
#define HUBBUB_MASTER_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "hub/base/log.h"
#include "hub/scheduler.h"
#include "master/address.h"
#include "master/arguments.h"
#include "master/server.h"
#include "worker/heritage.h"

#define OPTIONS_PROCESSES_MAX 1024
#define OPTIONS_THREADS_MAX 1024

/* Of the master itself: those of a name. */
struct own_addresses {
	struct address addresses[ADDRESSES_MAX];
	size_t count;
};

struct options {
	struct address addresses[ADDRESSES_MAX]; /* each once; not on a reload */
	size_t address_count;
	const char *listen[ADDRESSES_MAX]; /* as it was written */
	size_t listen_count;
	unsigned processes; /* chosen, if auto */
	unsigned threads;
	unsigned asked_processes; /* 0 for auto */
	unsigned asked_threads;
	unsigned cpus;            /* what the choice was based on; 0 if nothing was chosen */
	unsigned max_connections; /* 0 for as many as the file limit allows */
	unsigned backlog;
	int64_t idle_timeout; /* nanoseconds, like all times; 0 for none */
	int64_t write_timeout;
	int64_t drain_timeout;
	int64_t drain_delay;
	int64_t hang_timeout;
	size_t stack_size;
	enum hub_backend backend;
	bool pin;
	bool balances_by_hash;
	bool check;
	const char *tls_certificate; /* NULL for none; borrows from arguments */
	const char *tls_key;
	struct hub_tls *tls; /* made of both; owned */
	bool has_proxy;
	struct worker_network networks[WORKER_NETWORKS_MAX]; /* whose PROXY headers are believed */
	unsigned network_count;
	struct arguments arguments;    /* the command line, with its files */
	struct own_addresses admin_at; /* not on a reload, either */
	struct own_addresses agent_at;
	/* NULL for none or the default; these borrow from arguments. */
	const char *admin;
	const char *agent;
	const char *control;
	const char *pidfile;
	const char *user;
	const char *group;
	enum log_level log_level;
	enum log_format log_format;
	void *context; /* a copy of the service's, as these options have set it; NULL if it has no size */
};

/* Parses argv, in which @FILE stands for a file of further arguments, one a line, and sets the
 * service's options in its context. is_again: on a reload, when addresses are not resolved, and
 * --help is an error.
 * Returns 0, or -1 with a line in error. Free with options_free in any case. */
int options_read(struct options *options, int argc, char **argv,
	const struct hubbub_service *service, bool is_again, char *error, size_t error_size);

/* The same at the start: bad usage is printed to stderr and ends the process with 2; --help and
 * --version print and end it with 0. */
void options_parse(
	struct options *options, int argc, char **argv, const struct hubbub_service *service);

/* Puts the service's context into the state that these options had set. */
void options_use(const struct options *options, const struct hubbub_service *service);

void options_free(struct options *options);

#endif
