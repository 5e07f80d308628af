#include "master/start/service.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/complaint.h"
#include "worker/catalog.h"

struct context {
	unsigned limit;
};

static struct context context;

static void
serve(int client, void *unused)
{
	(void)client, (void)unused;
}

static ssize_t
answer(struct hub_datagram *datagram, size_t size, void *unused)
{
	(void)datagram, (void)size, (void)unused;
	return -1;
}

static const char *const words[] = {"one", NULL}, *const nothing[] = {"one", "", NULL};

static const struct hubbub_option outside[] = {
	{.name = "far", .kind = HUBBUB_NUMBER, .offset = 2, .size = 4}, {0}};
static const struct hubbub_option nameless[] = {{.name = "", .help = "x"}, {0}};
static const struct hubbub_option wordless[] = {{.name = "word",
							.values = "W",
							.help = "x",
							.kind = HUBBUB_NUMBER,
							HUBBUB_FIELD(struct context, limit),
							HUBBUB_WORDS(words)},
	{0}};
static const struct hubbub_option lettered[] = {
	{.name = "letter", .help = "x", .kind = HUBBUB_FLAG, .letter = 300}, {0}};
static const struct hubbub_option impossible[] = {{.name = "range",
							  .values = "N",
							  .help = "x",
							  .kind = HUBBUB_NUMBER,
							  HUBBUB_FIELD(struct context, limit),
							  .least = 2,
							  .most = 1},
	{0}};

static const struct hubbub_option crowded[] = {
	{.name = "later", .help = "x", .kind = HUBBUB_FLAG, .room = {&context}}, {0}};

static const struct hubbub_listener sound[] = {
	{.name = "admin", .serve = serve}, {.name = "stats", .answer = answer}, {0}};
static const struct hubbub_listener unnameable[] = {{.name = "Admin", .serve = serve}, {0}};
static const struct hubbub_listener twins[] = {
	{.name = "admin", .serve = serve}, {.name = "admin", .answer = answer}, {0}};
static const struct hubbub_listener none[] = {{0}};
static const struct hubbub_listener idle[] = {{.name = "admin"}, {0}};
static const struct hubbub_listener full[] = {
	{.name = "admin", .serve = serve, .room = {&context}}, {0}};
static const char *
run(void *unused)
{
	(void)unused;
	return NULL;
}

#define THIRTY_TWO "12345678901234567890123456789012"

static const struct hubbub_background each[] = {{"a", run, HUBBUB_EACH_HUB, {0}},
	{"b", run, HUBBUB_EACH_WORKER, {0}}, {"c", run, HUBBUB_ONE_OF_SERVER, {0}}, {0}};
static const struct hubbub_background longer[] = {{.name = THIRTY_TWO, .run = run}, {0}};
static const struct hubbub_background unprintable[] = {{.name = "a\nb", .run = run}, {0}};
static const struct hubbub_background two[] = {
	{.name = "a", .run = run}, {.name = "b", .run = run}, {.name = "a", .run = run}, {0}};
static const struct hubbub_background runless[] = {{.name = "a", .run = run}, {.name = "b"}, {0}};
static const struct hubbub_background nowhere[] = {
	{.name = "a", .run = run, .where = (enum hubbub_where)3}, {0}};
static const struct hubbub_background later[] = {
	{.name = "a", .run = run, .room = {&context}}, {0}};
static const struct hubbub_metric counted[] = {
	{.name = "lookups_total", .help = "Lookups."}, {.name = NULL}};
static const struct hubbub_metric reserved[] = {
	{.name = "hubbub_keys", .help = "Keys.", .kind = HUBBUB_GAUGE}, {.name = NULL}};

#define GOOD .name = "good", .version = "1", .listen = "127.0.0.1:0", .serve = serve
#define LONG_NAME "12345678901234567890123456789012345678901234567890123456789012345"

static const struct hubbub_command misnamed[] = {{.name = "reload", .help = "again"}, {0}};

static const struct {
	struct hubbub_service service;
	const char *why; /* NULL: nothing is wrong */
} cases[] = {
	{{GOOD}, NULL},
	{{.name = "udp", .version = "1", .listen = "udp:127.0.0.1:0", .answer = answer}, NULL},
	{{.version = "1", .serve = serve}, "the service's name"},
	{{.name = "", .version = "1", .serve = serve}, "the service's name"},
	{{.name = "a/b", .version = "1", .serve = serve}, "the service's name"},
	{{.name = "..", .version = "1", .serve = serve}, "the service's name"},
	{{.name = "a\nb", .version = "1", .serve = serve}, "the service's name"},
	{{.name = LONG_NAME, .version = "1", .serve = serve}, "the service's name"},
	{{.name = "a", .serve = serve}, "no version"},
	{{.name = "a", .version = "1"}, "neither serve"},
	{{.name = "a", .version = "1", .serve = serve}, "--listen: needed"},
	{{.name = "a", .version = "1", .serve = serve, .listen = ""}, "--listen: ''"},
	{{.name = "a", .version = "1", .serve = serve, .listen = "nowhere"}, "--listen: 'nowhere'"},
	{{.name = "a", .version = "1", .answer = answer, .listen = "127.0.0.1:0"},
		"--listen: a serves udp: addresses alone"},
	{{GOOD, .context_size = 4}, "no context"},
	{{GOOD, .context = &context, .context_size = 4, .options = outside}, "--far does not lie"},
	{{GOOD, .context = &context, .context_size = 4, .options = nameless}, "is not a name"},
	{{GOOD, .context = &context, .context_size = 4, .options = wordless}, "word that is NULL"},
	{{GOOD, .context = &context, .context_size = 4, .options = lettered}, "a letter that"},
	{{GOOD, .context = &context, .context_size = 4, .options = impossible}, "above its most"},
	{{GOOD, .protocols = words, .needs_protocol = true}, NULL},
	{{GOOD, .protocols = nothing}, "the service's protocols"},
	{{GOOD, .needs_protocol = true}, "needs a protocol"},
	{{GOOD, .room = {&context}}, "service's room"},
	{{GOOD, .hooks.room = {&context}}, "room of the service's hooks"},
	{{GOOD, .background = each}, NULL},
	{{GOOD, .background = longer}, "function 1 of the service must have a name of 1 to 31"},
	{{GOOD, .background = unprintable}, "function 1 of the service must have a name"},
	{{GOOD, .background = two}, "function 3 of the service has the name of another"},
	{{GOOD, .background = runless}, "function 2 of the service has no run"},
	{{GOOD, .background = nowhere}, "function 1 of the service is nowhere"},
	{{GOOD, .background = later}, "function 1 of the service has a room that"},
	{{GOOD, .commands = misnamed}, "the command 'reload' of the service has the name"},
	{{GOOD, .options = crowded}, "room of the option --later"},
	{{GOOD, .listeners = sound}, NULL},
	{{.name = "a", .version = "1", .listen = "admin=127.0.0.1:0", .listeners = sound}, NULL},
	{{.name = "a", .version = "1", .listen = "127.0.0.1:0", .listeners = sound},
		"--listen: '127.0.0.1:0' needs a name: NAME=ADDRESS, for one of admin, stats"},
	{{.name = "a", .version = "1", .listen = ":0", .listeners = none},
		"has neither serve, for"},
	{{GOOD, .listeners = unnameable}, "listener 'Admin' is no name"},
	{{GOOD, .listeners = twins}, "listener 'admin' has the name of another"},
	{{GOOD, .listeners = idle}, "listener 'admin' has neither serve"},
	{{GOOD, .listeners = full}, "listener 'admin' has a room"},
	{{GOOD, .metrics = counted}, NULL},
	{{GOOD, .metrics = reserved}, "metric hubbub_keys: choose a name"},
};

/* Returns the exit code, or 128 and more for a crash. */
static int
start(int argc, char **argv, const struct hubbub_service *service)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0)
		exit(hubbub_main(argc, argv, service));
	cr_assert_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

Test(service, that_is_wrong_ends_with_a_line_that_names_the_field)
{
	char *argv[] = {"service", "--check", NULL};

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		const char *heard;
		int code;

		complaint_listen();
		code = start(2, argv, &cases[i].service);
		heard = complaint_heard();
		cr_assert_eq(
			code, cases[i].why == NULL ? 0 : 2, "case %zu: %d, %s", i, code, heard);
		if (cases[i].why == NULL)
			continue;
		cr_assert_not_null(strstr(heard, cases[i].why), "case %zu: %s", i, heard);
		cr_assert_eq(strchr(heard, '\n'), heard + strlen(heard) - 1, "one line: %s", heard);
	}
	complaint_listen();
	cr_assert_eq(start(2, argv, NULL), 2);
	cr_assert_eq(start(0, (char *[]){NULL}, &cases->service), 2);
	complaint_heard();
}

/* What has no default may be given. */
Test(service, without_an_address_takes_one)
{
	char *argv[] = {"service", "--check", "--listen=127.0.0.1:0", NULL};
	const struct hubbub_service service = {.name = "a", .version = "1", .serve = serve};

	cr_assert_eq(start(3, argv, &service), 0);
}

Test(service, that_runs_in_one_process_refuses_more)
{
	char *argv[] = {"service", "--check", "--processes=2", NULL};
	const struct hubbub_service service = {GOOD, .processes = 1};
	const char *heard;

	complaint_listen();
	cr_assert_eq(start(3, argv, &service), 2);
	heard = complaint_heard();
	cr_assert_not_null(strstr(heard, "--processes"), "%s", heard);
	cr_assert_not_null(strstr(heard, "good runs in 1 process, not in 2"), "%s", heard);
}

/* If only named listeners are served, there is nothing to count of those without a name. */
Test(service, counts_listeners_if_it_names_some)
{
	static const struct hubbub_listener listeners[] = {{.name = "admin"}, {.name = NULL}};
	struct hubbub_service service = {.listeners = listeners, .serve = serve};

	service_count(&service);
	cr_assert_eq(catalog_size, catalog_listeners + 2);
	cr_assert_neq(catalog_find_listener(LISTENED_UNNAMED), -1);
	cr_assert_neq(catalog_find_listener("admin"), -1);
	service.serve = NULL;
	service_count(&service);
	cr_assert_eq(catalog_find_listener(LISTENED_UNNAMED), -1);
	cr_assert_neq(catalog_find_listener("admin"), -1);
	service = (struct hubbub_service){.serve = serve};
	service_count(&service);
	cr_assert_eq(catalog_size, catalog_listeners, "the totals are the one listener's");
}
