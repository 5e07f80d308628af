#include "master/change/config.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/resource.h>

#include "master/base/oversize.h"
#include "tests/support/complaint.h"
#include "tests/unit/master/quiet.h"

Test(config, is_what_the_options_say)
{
	struct quiet quiet;
	struct options *options = &quiet.master.options;
	struct fleet_config config;

	quiet_set(&quiet);
	options->processes = 3;
	options->threads = 4;
	options->hang_timeout = 5;
	options->drain_timeout = 6;
	options->max_connections = 7;
	config = config_of(&quiet.master, options);
	cr_assert_eq(config.processes, 3);
	cr_assert_eq(config.threads, 4);
	cr_assert_eq(config.hang_timeout, 5);
	cr_assert_eq(config.drain_timeout, 6);
	cr_assert_eq(config.max_connections, 7);
	cr_assert(config.balances);
	cr_assert_eq(config.heritage.addresses, 1);
	quiet_clear(&quiet);
}

static void
serve(int client, void *context)
{
	(void)client, (void)context;
}

Test(config, an_address_with_a_name_is_served_by_the_listener_of_that_name)
{
	static const struct hubbub_listener listeners[] = {
		{.name = "stats", .serve = serve}, {.name = "admin", .serve = serve}, {0}};
	static const struct hubbub_service service = {
		.name = "a", .version = "1", .listeners = listeners};
	const struct hubbub_listener *admin = &listeners[1];
	struct quiet quiet;
	char *name;

	quiet_set(&quiet);
	quiet.master.service = &service;
	name = quiet.master.sockets.addresses->listener;
	cr_assert_eq(config_prepare(&quiet.master), 0);
	cr_assert_null(
		*config_of(&quiet.master, &quiet.master.options).heritage.listeners, "no name");
	strcpy(name, "admin");
	cr_assert_eq(config_prepare(&quiet.master), 0);
	cr_assert_eq(*config_of(&quiet.master, &quiet.master.options).heritage.listeners, admin);
	/* As after an upgrade to a program that has no such listener: never by another function. */
	strcpy(name, "gone");
	complaint_listen();
	cr_assert_eq(config_prepare(&quiet.master), -1);
	cr_assert_not_null(strstr(complaint_heard(), "a has no listener 'gone'"));
	quiet_clear(&quiet);
}

/* It stays, so that what has been counted counts when a limit is set again. */
Test(config, the_first_limit_per_peer_makes_the_tally)
{
	struct quiet quiet;
	struct options *options = &quiet.master.options;
	struct tally *tally;

	quiet_set(&quiet);
	cr_assert_eq(config_make_tally(&quiet.master, options), 0);
	cr_assert_null(quiet.master.tally);
	cr_assert_null(config_of(&quiet.master, options).heritage.tally);
	options->worker.per_peer.fresh = 1;
	cr_assert_eq(config_make_tally(&quiet.master, options), 0);
	tally = quiet.master.tally;
	cr_assert_not_null(tally);
	cr_assert_neq(quiet.master.handed_on.tally, -1);
	options->worker.per_peer.fresh = 0;
	cr_assert_eq(config_make_tally(&quiet.master, options), 0);
	cr_assert_eq(config_of(&quiet.master, options).heritage.tally, tally);
	tally_free(&quiet.master.tally);
	quiet_clear(&quiet);
}

/* A limit on the size of files; no workers are started that could not count. */
Test(config, without_room_for_the_tally_nothing_starts)
{
	struct rlimit before, small;
	struct quiet quiet;

	quiet_set(&quiet);
	quiet.master.options.worker.per_peer.open = 1;
	oversize_survive();
	cr_assert_eq(getrlimit(RLIMIT_FSIZE, &before), 0);
	small = (struct rlimit){4096, before.rlim_max};
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	complaint_listen();
	cr_assert_eq(config_prepare(&quiet.master), -1);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &before), 0);
	cr_assert_not_null(strstr(complaint_heard(), "cannot count the connections of each peer"));
	cr_assert_null(quiet.master.tally);
	cr_assert_eq(quiet.master.handed_on.tally, -1);
	cr_assert_eq(config_prepare(&quiet.master), 0);
	tally_free(&quiet.master.tally);
	quiet_clear(&quiet);
}

/* The options ask for 2 x 1 and the server was scaled to 5 x 6. */
static const struct {
	unsigned asked_processes, asked_threads;
	unsigned processes, threads; /* as they come out */
} next[] = {
	{2, 1, 5, 6},
	{3, 1, 3, 1},
	{2, 2, 2, 2},
};

Test(config, a_reload_keeps_a_shape_unless_the_options_ask_for_another)
{
	for (size_t i = 0; i < sizeof next / sizeof next[0]; i++) {
		struct quiet quiet;
		struct options *options = &quiet.master.next;
		struct fleet_config config;

		quiet_set(&quiet);
		quiet.master.fleet.serving->config.processes = 5;
		quiet.master.fleet.serving->config.threads = 6;
		options->processes = options->asked_processes = next[i].asked_processes;
		options->threads = options->asked_threads = next[i].asked_threads;
		config = config_of_next(&quiet.master);
		cr_assert_eq(config.processes, next[i].processes, "%zu", i);
		cr_assert_eq(config.threads, next[i].threads, "%zu", i);
		quiet_clear(&quiet);
	}
}

/* With auto (0) what was chosen counts, too: another number of CPUs is another shape. */
Test(config, a_reload_on_other_cpus_chooses_anew)
{
	struct quiet quiet;
	struct options *now = &quiet.master.options, *then = &quiet.master.next;

	quiet_set(&quiet);
	now->asked_processes = now->asked_threads = 0;
	*then = *now;
	then->processes = 8;
	cr_assert_eq(config_of_next(&quiet.master).processes, 8);
	quiet_clear(&quiet);
}

/* Whoever asks for what auto had chosen asks for something. */
Test(config, a_reload_that_asks_for_what_was_chosen_gets_that)
{
	struct quiet quiet;
	struct options *now = &quiet.master.options, *then = &quiet.master.next;

	quiet_set(&quiet);
	quiet.master.fleet.serving->config.processes = 5;
	*then = *now;
	now->asked_processes = 0;
	cr_assert_eq(config_of_next(&quiet.master).processes, 2);
	*now = *then;
	now->asked_threads = 0;
	cr_assert_eq(config_of_next(&quiet.master).processes, 2);
	quiet_clear(&quiet);
}

Test(config, a_new_master_keeps_a_shape_unless_its_options_ask_for_another)
{
	for (size_t i = 0; i < sizeof next / sizeof next[0]; i++) {
		struct quiet quiet;
		struct options *options = &quiet.master.options;
		struct fleet_config config;

		quiet_set_new(&quiet);
		quiet.former.processes = 5;
		quiet.former.threads = 6;
		quiet.former.asked_processes = 2;
		quiet.former.asked_threads = 1;
		options->processes = options->asked_processes = next[i].asked_processes;
		options->threads = options->asked_threads = next[i].asked_threads;
		config = config_of_successor(&quiet.master);
		cr_assert_eq(config.processes, next[i].processes, "%zu", i);
		cr_assert_eq(config.threads, next[i].threads, "%zu", i);
		quiet_clear(&quiet);
	}
}
