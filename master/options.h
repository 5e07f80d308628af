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

#define OPTIONS_ADDRESSES_MAX 16
#define OPTIONS_PROCESSES_MAX 1024
#define OPTIONS_THREADS_MAX 1024

struct options {
	struct address addresses[OPTIONS_ADDRESSES_MAX];
	size_t address_count;
	unsigned processes; /* chosen, if auto */
	unsigned threads;
	unsigned cpus; /* what the choice was based on; 0 if nothing was chosen */
	unsigned backlog;
	int64_t drain_timeout; /* nanoseconds */
	size_t stack_size;
	enum hub_backend backend;
	bool pin;
	bool check;
	struct arguments arguments; /* the command line, with its files */
	const char *pidfile;        /* NULL for none; these three borrow from arguments */
	const char *user;
	const char *group;
	enum log_level log_level;
	enum log_format log_format;
};

/* Parses argv, in which @FILE stands for a file of further arguments, one a line. Bad usage is
 * printed to stderr and ends the process with 2; --help and --version print and end it with 0. */
void options_parse(
	struct options *options, int argc, char **argv, const struct hubbub_service *service);

void options_free(struct options *options);

#endif
