#include "master/options.h"

#include <criterion/criterion.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/names.h"

static struct options options;
static char error[512];

static void
serve(int client, void *context)
{
	(void)client, (void)context;
}

/* Reads them, ended by NULL. Returns whether they are right. */
static bool
read_options(const char *first, ...)
{
	static const struct hubbub_service service = {
		.name = "test", .version = "1", .listen = "127.0.0.1:9090", .serve = serve};
	char *argv[32] = {"test", (char *)(uintptr_t)first};
	int count = 2;
	va_list more;

	va_start(more, first);
	while (count < 31 && (argv[count] = va_arg(more, char *)) != NULL)
		count++;
	va_end(more);
	options_free(&options);
	return options_read(&options, count, argv, &service, false, error, sizeof error) == 0;
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
	cr_assert_eq(options.listen_count, 2);
	cr_assert(read_options("--listen=127.0.0.1:1", "--listen=127.0.0.1:2", "--listen=unix:/a",
			  "--listen=unix:/a", NULL),
		"%s", error);
	cr_assert_eq(options.address_count, 3);
	cr_assert(read_options("--listen=127.0.0.1:0", "--listen=127.0.0.1:0", NULL));
	cr_assert_eq(options.address_count, 2, "two of port 0 are two ports");
	cr_assert(read_options("--pin", NULL));
	cr_assert_eq(options.address_count, 1, "the default");
}

Test(options, there_is_room_for_sixteen_addresses)
{
	char texts[17][32];

	for (int i = 0; i < 17; i++)
		snprintf(texts[i], sizeof texts[i], "--listen=127.0.0.%d:1", i + 1);
	cr_assert(read_options(texts[0], texts[1], texts[2], texts[3], texts[4], texts[5], texts[6],
			  texts[7], texts[8], texts[9], texts[10], texts[11], texts[12], texts[13],
			  texts[14], texts[15], NULL),
		"%s", error);
	cr_assert_eq(options.address_count, 16);
	cr_assert_not(read_options(texts[0], texts[1], texts[2], texts[3], texts[4], texts[5],
		texts[6], texts[7], texts[8], texts[9], texts[10], texts[11], texts[12], texts[13],
		texts[14], texts[15], texts[16], NULL));
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
	const char *why = names_enter(hosts, true);

	if (why != NULL)
		cr_skip_test("%s", why);
	cr_assert(read_options("--listen=both:1", "--admin=both:2", "--agent=both:3", NULL), "%s",
		error);
	cr_assert_eq(options.address_count, 2);
	cr_assert(options.addresses[0].is_alternative && options.addresses[1].is_alternative);
	cr_assert_eq(options.addresses[0].name, options.addresses[1].name);
	cr_assert_eq(options.admin_at.count, 2);
	cr_assert_eq(options.agent_at.count, 2);
	cr_assert(read_options("--listen=doubled:1", NULL), "%s", error);
	cr_assert_eq(options.address_count, 1);
	cr_assert_not(options.addresses[0].is_alternative);
	cr_assert(read_options("--listen=both:1", "--listen=doubled:1", "--listen=three:1", NULL),
		"%s", error);
	cr_assert_eq(options.address_count, 4);
	for (size_t i = 0; i < options.address_count; i++)
		cr_assert_eq(options.addresses[i].name, 0, "names that share one are one");
	cr_assert_not(read_options("--listen=both:1", "--admin=three:1", NULL));
	cr_assert_not_null(strstr(error, "--admin and --listen"), "%s", error);
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
