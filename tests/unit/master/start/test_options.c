#include "master/start/options.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hub/base/log.h"
#include "master/say/log_json.h"
#include "tests/support/complaint.h"
#include "tests/support/names.h"

static struct options options;
static char error[512];

static void
serve(int client, void *context)
{
	(void)client, (void)context;
}

static const struct hubbub_service plain = {
	.name = "test", .version = "1", .listen = "127.0.0.1:9090", .serve = serve};

/* Reads them, after the program's name. Returns whether they are right. */
static bool
read_all(int count, char **argv)
{
	options_free(&options);
	return options_read(&options, count, argv, &plain, false, error, sizeof error) == 0;
}

/* Reads them, ended by NULL. Returns whether they are right. */
static bool
read_options(const char *first, ...)
{
	char *argv[32] = {"test", (char *)(uintptr_t)first};
	int count = 2;
	va_list more;

	va_start(more, first);
	while (count < 31 && (argv[count] = va_arg(more, char *)) != NULL)
		count++;
	va_end(more);
	return read_all(count, argv);
}

static void
end(void)
{
	options_free(&options);
}

TestSuite(options, .fini = end);

Test(options, an_address_is_listened_on_once)
{
	cr_assert(read_options("--listen=127.0.0.1:1", "--listen=127.0.0.1:1", NULL), "%s", error);
	cr_assert_eq(options.address_count, 1);
	cr_assert_eq(options.listen.count, 2);
	cr_assert(read_options("--listen=127.0.0.1:1", "--listen=127.0.0.1:2", "--listen=unix:/a",
			  "--listen=unix:/a", NULL),
		"%s", error);
	cr_assert_eq(options.address_count, 3);
	cr_assert(read_options("--listen=127.0.0.1:0", "--listen=127.0.0.1:0", NULL));
	cr_assert_eq(options.address_count, 2, "two of port 0 are two ports");
	cr_assert(read_options("--pin", NULL));
	cr_assert_eq(options.address_count, 1, "the default");
}

Test(options, what_lacks_its_dashes_is_suggested_with_them)
{
	cr_assert_not(read_options("idle-timeout=4", NULL));
	cr_assert_str_eq(
		error, "'idle-timeout=4' is not an option; did you mean --idle-timeout=4?");
	cr_assert_not(read_options("idle=4", NULL));
	cr_assert_str_eq(
		error, "'idle=4' is not an option; addresses are given with --listen, see --help");
}

Test(options, what_does_not_go_together_is_named_as_it_was_given)
{
	setenv("HUBBUB_SERVER_ADMIN", "127.0.0.1:3", 1);
	cr_assert_not(read_options("--listen=127.0.0.1:3", NULL));
	cr_assert_str_eq(error, "HUBBUB_SERVER_ADMIN and --listen are the same address; choose "
				"another port");
}

/* What an address of the master's own may not be is not offered. */
Test(options, what_has_no_effect_without_another_is_refused)
{
	static const struct {
		const char *option, *needed, *error;
	} cases[] = {
		{"--admin-host=a", "--admin=127.0.0.1:1", "--admin-host: needs --admin"},
		{"--loop-limit=100", NULL, "--loop-limit: needs --listen for udp:"},
		{"--tls-ticket-lifetime=7200", NULL, "--tls-ticket-lifetime: needs --tls-cert"},
	};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		cr_assert_not(read_options(cases[i].option, NULL));
		cr_assert_str_eq(error, cases[i].error);
		if (cases[i].needed != NULL)
			cr_assert(
				read_options(cases[i].option, cases[i].needed, NULL), "%s", error);
	}
}

Test(options, a_name_of_other_programs_is_answered_with_ours)
{
	cr_assert_not(read_options("--port=9090", NULL));
	cr_assert_str_eq(error, "--port: there is no such option; did you mean --listen?");
	cr_assert_not(read_options("--workers=4", NULL));
	cr_assert_str_eq(error, "--workers: there is no such option; did you mean --processes?");
}

Test(options, the_masters_own_addresses_are_told_what_they_take)
{
	static const char *const texts[] = {
		"127.0.0.1", "http://127.0.0.1:1/", "unix:/a", "unix:", "udp:127.0.0.1:1"};

	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		char option[64], expected[128];

		snprintf(option, sizeof option, "--admin=%s", texts[i]);
		snprintf(expected, sizeof expected,
			"--admin: '%s' is not HOST:PORT, [V6]:PORT or :PORT", texts[i]);
		cr_assert_not(read_options(option, NULL));
		cr_assert_str_eq(error, expected);
	}
}

Test(options, a_user_and_a_group_exist)
{
	cr_assert(read_options("--user=root", "--group=0", NULL), "%s", error);
	cr_assert(read_options("--user=0", NULL), "%s", error);
	cr_assert_not(read_options("--user=no-such-user", NULL));
	cr_assert_str_eq(error, "--user: there is no user 'no-such-user' on this machine");
	cr_assert_not(read_options("--user=4294967295", NULL));
	cr_assert_not(read_options("--user=root", "--group=no-such-group", NULL));
	cr_assert_str_eq(error, "--group: there is no group 'no-such-group' on this machine");
}

/* The resolver may take seconds for each. */
Test(options, nothing_is_resolved_once_an_address_is_wrong)
{
	cr_assert_not(read_options(
		"--listen=127.0.0.1:x", "--listen=127.0.0.1:2", "--admin=127.0.0.1:3", NULL));
	cr_assert_not_null(strstr(error, "127.0.0.1:x"), "%s", error);
	cr_assert_eq(options.address_count, 0);
	cr_assert_eq(options.admin_at.count, 0);
}

Test(options, there_is_room_for_sixteen_addresses)
{
	char texts[17][32], *argv[18] = {"test"};

	for (int i = 0; i < 17; i++) {
		snprintf(texts[i], sizeof texts[i], "--listen=127.0.0.%d:1", i + 1);
		argv[1 + i] = texts[i];
	}
	cr_assert(read_all(1 + 16, argv), "%s", error);
	cr_assert_eq(options.address_count, 16);
	cr_assert_not(read_all(1 + 17, argv));
	cr_assert_not_null(strstr(error, "more than 16 addresses"), "%s", error);
}

static const char hosts[] = "127.0.0.1 both\n::1 both\n127.0.0.1 doubled\n127.0.0.1 doubled\n"
			    "127.0.0.1 three\n127.0.0.2 three\n127.0.0.3 three\n"
			    "127.0.1.1 many\n127.0.1.2 many\n127.0.1.3 many\n127.0.1.4 many\n"
			    "127.0.1.5 many\n127.0.1.6 many\n127.0.1.7 many\n127.0.1.8 many\n"
			    "127.0.1.9 many\n127.0.1.10 many\n127.0.1.11 many\n127.0.1.12 many\n"
			    "127.0.1.13 many\n127.0.1.14 many\n127.0.1.15 many\n127.0.1.16 many\n"
			    "127.0.1.1 most\n127.0.1.2 most\n127.0.1.3 most\n127.0.1.4 most\n"
			    "127.0.1.5 most\n127.0.1.6 most\n127.0.1.7 most\n127.0.1.8 most\n"
			    "127.0.1.9 most\n127.0.1.10 most\n127.0.1.11 most\n127.0.1.12 most\n"
			    "127.0.1.13 most\n127.0.1.14 most\n127.0.1.15 most\n127.0.1.16 most\n"
			    "127.0.1.17 most\n";

Test(options, a_name_stands_for_all_its_addresses)
{
	const struct address *first = &options.addresses[0], *second = &options.addresses[1];
	const char *why = names_enter(hosts, true);

	if (why != NULL)
		cr_skip_test("%s", why);
	cr_assert(read_options("--listen=both:1", "--admin=both:2", "--agent=both:3", NULL), "%s",
		error);
	cr_assert_eq(options.address_count, 2);
	cr_assert(first->is_alternative && second->is_alternative);
	cr_assert_eq(first->name, second->name);
	cr_assert_eq(options.admin_at.count, 2);
	cr_assert_eq(options.agent_at.count, 2);
	cr_assert(read_options("--listen=doubled:1", NULL), "%s", error);
	cr_assert_eq(options.address_count, 1);
	cr_assert_not(first->is_alternative);
	cr_assert(read_options("--listen=both:1", "--listen=doubled:1", "--listen=three:1", NULL),
		"%s", error);
	cr_assert_eq(options.address_count, 4);
	for (size_t i = 0; i < options.address_count; i++)
		cr_assert_eq(options.addresses[i].name, 0, "names that share one are one");
	cr_assert_not(read_options("--listen=both:1", "--admin=three:1", NULL));
	cr_assert_not_null(strstr(error, "--admin and --listen"), "%s", error);
}

/* Nobody who knows names can be reached from a network that has nothing but the loopback. */
Test(options, a_name_that_cannot_be_looked_up_now_is_no_address)
{
	const char *why = names_enter(hosts, true);

	if (why != NULL)
		cr_skip_test("%s", why);
	cr_assert_not(read_options("--listen=somewhere.test:1", NULL));
	if (strstr(error, "names no known host") != NULL)
		cr_skip("a service of this machine knows names without the network");
	cr_assert_str_eq(error,
		"--listen: 'somewhere.test:1' cannot be looked up: Temporary failure in name "
		"resolution");
}

Test(options, there_is_room_for_names_of_sixteen_addresses)
{
	const char *why = names_enter(hosts, true);

	if (why != NULL)
		cr_skip_test("%s", why);
	cr_assert(read_options("--listen=many:1", "--admin=many:2", NULL), "%s", error);
	cr_assert_eq(options.address_count, 16);
	cr_assert(read_options("--listen=127.0.1.9:1", "--listen=many:1", NULL), "%s", error);
	cr_assert_eq(options.address_count, 16);
	cr_assert_not(read_options("--listen=127.0.0.1:1", "--listen=many:1", NULL));
	cr_assert_not_null(strstr(error, "more than 16 addresses"), "%s", error);
	cr_assert_not(read_options("--listen=most:1", NULL));
	cr_assert_not_null(strstr(error, "more than 16 addresses"), "%s", error);
	cr_assert_not(read_options("--admin=most:1", NULL));
	cr_assert_not_null(strstr(error, "more than 16 addresses"), "%s", error);
}

/* ---- a service's own ---- */

struct greeter {
	unsigned limit;
	const char *word;
	struct hubbub_list words;
	unsigned calls;
};

static const char *
count_call(const char *value, void *context)
{
	(void)value;
	((struct greeter *)context)->calls++;
	return NULL;
}

static const struct hubbub_option greetings[] = {
	{.name = "limit",
		.values = "N",
		.help = "Longest",
		.kind = HUBBUB_NUMBER,
		HUBBUB_FIELD(struct greeter, limit),
		.standard = "80",
		.least = 1,
		.most = 100},
	{.name = "word",
		.values = "TEXT",
		.help = "What is said",
		.kind = HUBBUB_STRING,
		HUBBUB_FIELD(struct greeter, word),
		.change = HUBBUB_FIXED},
	{.name = "call", .values = "X", .help = "The old way", .set = count_call},
	{0},
};

static struct greeter greeter;
static struct hubbub_service greeting = {.name = "greeting",
	.version = "1",
	.listen = "127.0.0.1:9090",
	.serve = serve,
	.context = &greeter,
	.context_size = sizeof greeter,
	.options = greetings};

static bool
read_greeting(char *first, char *second)
{
	char *argv[] = {"greeting", first, second, NULL};

	options = (struct options){0};
	return options_read(&options, second == NULL ? 2 : 3, argv, &greeting, false, error,
		       sizeof error) == 0;
}

Test(options, a_service_has_rows_of_its_own)
{
	struct options before;

	cr_assert(read_greeting("--word=hi", "--call=1"), "%s", error);
	cr_assert_eq(greeter.limit, 80);
	cr_assert_str_eq(greeter.word, "hi");
	cr_assert_eq(greeter.calls, 1);
	before = options;
	setenv("HUBBUB_SERVER_LIMIT", "7", 1);
	cr_assert(read_greeting("--word=ho", NULL), "%s", error);
	cr_assert_eq(greeter.limit, 7);
	cr_assert_eq(greeter.calls, 0, "as at the start");
	options_use(&before, &greeting);
	cr_assert_eq(greeter.limit, 80);
	cr_assert_str_eq(greeter.word, "hi");
	options_free(&before);
	options_free(&options);
	cr_assert_not(read_greeting("--limit=101", NULL));
	cr_assert_not_null(strstr(error, "from 1 to 100"), "%s", error);
}

/* What the log says between two uses. */
static const char *
log_with(const struct options *used)
{
	const char *heard;

	complaint_listen();
	log_json_by(log_json_line);
	options_use(used, &plain);
	log_debug("trifle");
	log_info("news");
	heard = complaint_heard();
	return heard;
}

Test(options, the_log_is_as_those_in_use_say)
{
	struct options before;
	const char *heard;

	cr_assert(read_options("--log-format=text", NULL), "%s", error);
	before = options;
	options = (struct options){0};
	cr_assert(read_options("--log-format=json", "--log-level=debug", NULL), "%s", error);
	heard = log_with(&options);
	cr_assert_not_null(strstr(heard, "\"message\":\"trifle\""), "%s", heard);
	cr_assert_not_null(strstr(heard, "\"program\":\"test\""), "%s", heard);
	heard = log_with(&before);
	cr_assert_null(strstr(heard, "trifle"), "%s", heard);
	cr_assert_not_null(strstr(heard, "]: news\n"), "%s", heard);
	options_free(&before);
}

Test(options, a_service_cannot_have_the_servers_names)
{
	static const char *const names[] = {"threads", "help", "print-config", "word"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		struct hubbub_option own[] = {greetings[1], greetings[2], {0}};

		own[1].name = names[i];
		greeting.options = own;
		cr_assert_not(read_greeting("--pin", NULL), "%s", names[i]);
		cr_assert_not_null(strstr(error, names[i]), "%s", error);
		cr_assert_not_null(strstr(error, "choose another"), "%s", error);
		options_free(&options);
	}
	greeting.options = greetings;
	greeting.context_size = 0;
	cr_assert_not(read_greeting("--pin", NULL));
	cr_assert_not_null(strstr(error, "needs a context_size"), "%s", error);
}

/* The texts are freed by a reload, and items would come on top of the former ones. */
Test(options, strings_and_lists_need_a_context_that_is_put_back)
{
	struct hubbub_option own[] = {greetings[1], {0}};

	greeting.options = own;
	greeting.context_size = 0;
	own[0].change = HUBBUB_RELOADABLE;
	cr_assert_not(read_greeting("--word=hi", NULL));
	cr_assert_not_null(
		strstr(error, "--word is a string, which needs a context_size"), "%s", error);
	options_free(&options);
	own[0].kind = HUBBUB_LIST;
	own[0].offset = offsetof(struct greeter, words);
	own[0].size = sizeof greeter.words;
	cr_assert_not(read_greeting("--word=hi", NULL));
	cr_assert_not_null(
		strstr(error, "--word is a list, which needs a context_size"), "%s", error);
	options_free(&options);
	own[0] = greetings[0];
	cr_assert(read_greeting("--limit=7", NULL), "%s", error);
	cr_assert_eq(greeter.limit, 7);
}
