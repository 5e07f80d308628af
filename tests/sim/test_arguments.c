/* What cannot be asked for is refused in a sentence, before anything runs. */
#include <criterion/criterion.h>
#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/sim.h>
#include <string.h>

TestSuite(arguments, .timeout = 20);

static void *
do_nothing(void *ran)
{
	++*(int *)ran;
	return NULL;
}

static void
is_refused_with(int result, const char *why)
{
	cr_assert_eq(result, -1);
	cr_assert_eq(errno, EINVAL);
	cr_assert_not_null(strstr(hub_sim_report(), why), "%s", hub_sim_report());
}

Test(arguments, an_odd_option_is_refused_by_its_name)
{
	static const struct {
		struct hub_sim_options options;
		const char *why;
	} odd[] = {
		{{.delay = -1}, "the option delay is -1, and takes a number from 0 to "},
		{{.delay = INT64_MAX}, "the option delay is 9223372036854775807, and"},
		{{.longest = -HUB_SECOND}, "the option longest is -1000000000, and"},
		{{.ports = -1}, "the option ports is -1, and takes a number from 0 to 28232\n"},
		{{.ports = 28233}, "the option ports is 28233, and"},
		{{.files = -1}, "the option files is -1, and"},
		{{.interrupted = -1U}, "the option interrupted is -1, and"},
		{{.partition = -2U}, "the option partition is -2, and"},
		{{.drift = -3U}, "the option drift is -3, and"},
		{{.directory = "data"}, "the option directory is \"data\", and takes an absolute"},
		{{.room = {(void *)1}}, "the options were never set to zero"},
	};
	int ran = 0;

	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		is_refused_with(hub_sim_run(1, &odd[i].options, do_nothing, &ran), odd[i].why);
		is_refused_with(
			hub_sim_search(1, 1, &odd[i].options, do_nothing, &ran), odd[i].why);
	}
	cr_assert_eq(ran, 0);
}

Test(arguments, what_is_at_the_limit_is_taken)
{
	struct hub_sim_options most = {.interrupted = 2147483647,
		.delay = INT64_C(100) * 365 * 24 * 3600 * HUB_SECOND,
		.longest = INT64_MAX,
		.ports = 28232,
		.files = 1 << 20,
		.directory = "/world"};
	int ran = 0;

	cr_assert_eq(hub_sim_run(1, &most, do_nothing, &ran), 0, "%s", hub_sim_report());
	cr_assert_eq(ran, 1);
}

Test(arguments, a_search_has_a_seed_and_a_body)
{
	int ran = 0;

	is_refused_with(hub_sim_search(5, 1, NULL, do_nothing, &ran), "there is no seed to run");
	is_refused_with(hub_sim_search(1, 5, NULL, NULL, NULL), "there is no body to run");
	is_refused_with(hub_sim_run(1, NULL, NULL, NULL), "there is no body to run");
}
