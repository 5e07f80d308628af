#include "master/start/options_given.h"

#include <criterion/criterion.h>
#include <stdlib.h>

struct vault {
	const char *password;
};

static const struct hubbub_option secrets[] = {
	{.name = "password",
		.values = "TEXT",
		.help = "What opens it",
		.kind = HUBBUB_STRING,
		HUBBUB_FIELD(struct vault, password)},
	{0},
};

static void
serve(int client, void *context)
{
	(void)client, (void)context;
}

static struct vault vault;
static const struct hubbub_service service = {.name = "vault",
	.version = "1",
	.listen = "127.0.0.1:9090",
	.serve = serve,
	.context = &vault,
	.context_size = sizeof vault,
	.options = secrets};

Test(options_given, are_those_of_every_server_and_not_the_service_s)
{
	char *argv[] = {"vault", "--processes=3", "--password=hunter2", "--backlog=7", NULL};
	struct options options = {0};
	char error[512], *text;
	json_t *given;

	cr_assert_eq(setenv("HUBBUB_SERVER_THREADS", "2", 1), 0);
	cr_assert_eq(options_read(&options, 4, argv, &service, false, error, sizeof error), 0, "%s",
		error);
	given = options_given_json(&options);
	text = json_dumps(given, JSON_COMPACT);
	cr_assert_str_eq(text, "[\"--processes=3\",\"--backlog=7\",\"--threads=2\"]");
	free(text);
	json_decref(given);
	options_free(&options);
}
