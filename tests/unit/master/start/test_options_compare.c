#include "master/start/options_compare.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

static struct options before, options;
static char error[512];

struct greeter {
	unsigned limit;
	const char *word;
};

static struct hubbub_option greetings[] = {
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
	{0},
};

static void
serve(int client, void *context)
{
	(void)client, (void)context;
}

static struct greeter greeter;
static const struct hubbub_service greeting = {.name = "greeting",
	.version = "1",
	.listen = "127.0.0.1:9090",
	.serve = serve,
	.context = &greeter,
	.context_size = sizeof greeter,
	.options = greetings};

/* Reads them, ended by NULL. */
static void
read_options(struct options *to, const char *first, ...)
{
	char *argv[16] = {"greeting", (char *)(uintptr_t)first};
	int count = 1;
	va_list more;

	va_start(more, first);
	while (count < 15 && argv[count] != NULL)
		argv[++count] = va_arg(more, char *);
	va_end(more);
	options_free(to);
	cr_assert_eq(options_read(to, count, argv, &greeting, false, error, sizeof error), 0, "%s",
		error);
}

static void
end(void)
{
	options_free(&before);
	options_free(&options);
}

TestSuite(options_compare, .fini = end);

static struct options_difference
compare(void)
{
	return options_compare(&before, &options, &greeting);
}

static struct options_difference
compare_former(const json_t *document)
{
	return options_compare_former(&options, &greeting, document);
}

/* Another value than the default, of each option that a reload cannot change. */
static const struct {
	const char *name;
	char *argument;
	enum hubbub_change change;
} fixed[] = {
	{"listen", "--listen=127.0.0.1:2", HUBBUB_UPGRADABLE}, /* an upgrade judges what it means */
	{"backlog", "--backlog=7", HUBBUB_UPGRADABLE},         /* by queues of another length */
	{"proxy-protocol", "--proxy-protocol=on", HUBBUB_UPGRADABLE},
	{"flight-recorder", "--flight-recorder=1M", HUBBUB_UPGRADABLE},
	{"tls-unix", NULL, HUBBUB_UPGRADABLE}, /* set, since they need files */
	{"tls-client", NULL, HUBBUB_UPGRADABLE},
	{"admin", "--admin=127.0.0.1:3", HUBBUB_FIXED},
	{"agent", "--agent=127.0.0.1:4", HUBBUB_FIXED},
	{"control", "--control=/a", HUBBUB_FIXED},
	{"pidfile", "--pidfile=/b", HUBBUB_FIXED},
	{"user", "--user=daemon", HUBBUB_FIXED},
	{"group", "--group=daemon", HUBBUB_FIXED},
};

enum { FIXED = sizeof fixed / sizeof fixed[0] };

Test(options_compare, each_is_refused_by_a_reload_or_taken_and_in_the_document_or_not)
{
	size_t found = 0;

	for (const struct hubbub_option *row = options_rows; row->name != NULL; row++) {
		size_t i = 0;

		while (i < FIXED && strcmp(fixed[i].name, row->name) != 0)
			i++;
		if (i == FIXED) {
			cr_assert(row->change == HUBBUB_RELOADABLE || row->change == HUBBUB_ACTION,
				"--%s", row->name);
			continue;
		}
		found++;
		cr_assert_eq(row->change, fixed[i].change, "--%s", row->name);
	}
	cr_assert_eq(found, FIXED);
}

Test(options_compare, one_that_a_reload_cannot_change_is_named_with_what_can)
{
	struct options_difference difference;
	json_t *document, *other;
	bool is_handed_over;

	read_options(&before, "--user=root", NULL);
	document = options_fixed_json(&before, &greeting);
	for (size_t i = 0; i < FIXED; i++) {
		read_options(&options, "--user=root", fixed[i].argument, NULL);
		if (strcmp(fixed[i].name, "tls-unix") == 0)
			options.worker.tls_on_unix = true;
		if (strcmp(fixed[i].name, "tls-client") == 0)
			options.tls_client = TLS_CLIENT_ASK;
		difference = compare();
		cr_assert_str_eq(difference.names + strlen("--"), fixed[i].name);
		cr_assert_eq(difference.change, i == 0 ? HUBBUB_FIXED : fixed[i].change, "%s",
			fixed[i].name);
		other = options_fixed_json(&options, &greeting);
		is_handed_over = fixed[i].change == HUBBUB_FIXED;
		cr_assert_eq(json_object_get(other, fixed[i].name) != NULL, is_handed_over, "%s",
			fixed[i].name);
		cr_assert_eq(!json_equal(document, other), is_handed_over, "%s", fixed[i].name);
		json_decref(other);
	}
	read_options(
		&options, "--user=root", "-p9", "--idle-timeout=5", "--pin", "--limit=7", NULL);
	cr_assert_str_empty(compare().names);
	cr_assert_str_empty(compare_former(document).names);
	json_object_del(document, "admin");
	cr_assert_str_empty(
		compare_former(document).names, "the former program had none, and it is not given");
	read_options(&options, "--user=root", "--admin=127.0.0.1:3", NULL);
	cr_assert_str_eq(compare_former(document).names, "--admin");
	json_decref(document);
}

Test(options_compare, all_that_differ_are_named)
{
	json_t *document;

	read_options(&before, "--backlog=7", NULL);
	read_options(&options, "--backlog=8", "--listen=127.0.0.1:2", NULL);
	cr_assert_str_eq(compare().names, "--listen, --backlog");
	cr_assert_eq(compare().change, HUBBUB_FIXED);
	read_options(&options, "--word=ho", "--backlog=7", "--admin=127.0.0.1:3", NULL);
	cr_assert_str_eq(compare().names, "--admin, --word");
	cr_assert_eq(compare().change, HUBBUB_FIXED);
	document = options_fixed_json(&before, &greeting);
	cr_assert_str_eq(compare_former(document).names, "--admin, --word");
	json_decref(document);
}

Test(options_compare, names_without_end_are_cut_off)
{
	char long_name[OPTIONS_NAMES_SIZE];
	struct options_difference difference;

	memset(long_name, 'x', sizeof long_name - 1);
	long_name[sizeof long_name - 1] = '\0';
	read_options(&before, "--limit=7", NULL);
	for (size_t length = 1; length < sizeof long_name; length++) {
		const char *name = long_name + sizeof long_name - 1 - length;

		greetings[1].name = name;
		options_free(&options);
		read_options(&options, "--admin=127.0.0.1:3", NULL);
		((struct greeter *)options.context)->word = "ho";
		difference = compare();
		cr_assert_lt(strlen(difference.names), sizeof difference.names);
		cr_assert_eq(strncmp(difference.names, "--admin, ", 9), 0);
		cr_assert(strstr(difference.names, name) != NULL ||
				  strcmp(difference.names, "--admin, ...") == 0,
			"%s", difference.names);
	}
	greetings[1].name = "word";
}

Test(options_compare, a_services_own_are_compared_too)
{
	json_t *document;

	read_options(&before, "--word=hi", NULL);
	read_options(&options, "--word=ho", NULL);
	cr_assert_str_eq(compare().names, "--word");
	document = options_fixed_json(&options, &greeting);
	cr_assert_str_eq(json_string_value(json_object_get(document, "word")), "ho");
	cr_assert_str_empty(compare_former(document).names);
	cr_assert_str_eq(options_compare_former(&before, &greeting, document).names, "--word");
	json_object_del(document, "word");
	cr_assert_str_eq(compare_former(document).names, "--word");
	json_decref(document);
}

Test(options_compare, a_new_fixed_option_does_not_hinder_an_upgrade_if_it_is_not_given)
{
	json_t *document = json_pack("{}");

	greetings[0].change = HUBBUB_FIXED;
	greetings[1].standard = "hello";
	for (const struct hubbub_option *row = options_rows; row->name != NULL; row++)
		if (row->change == HUBBUB_FIXED)
			json_object_set_new(document, row->name, json_null());
	read_options(&options, "--pin", NULL);
	cr_assert_str_empty(compare_former(document).names);
	read_options(&options, "--limit=80", NULL);
	cr_assert_str_eq(compare_former(document).names, "--limit");
	json_object_set_new(document, "limit", json_integer(79));
	read_options(&options, "--pin", NULL);
	cr_assert_str_eq(compare_former(document).names, "--limit");
	json_decref(document);
}
