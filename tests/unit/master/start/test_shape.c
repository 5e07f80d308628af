#include "master/start/shape.h"

#include <criterion/criterion.h>
#include <string.h>

#include "master/start/cpus.h"

static struct hubbub_service service = {.name = "store", .version = "1"};

static struct options
chosen(unsigned processes, unsigned threads)
{
	struct options options = {.asked_processes = processes, .asked_threads = threads};

	shape_choose(&options, &service);
	return options;
}

Test(shape, that_the_service_wishes_is_chosen_for_auto)
{
	struct options options;

	service.processes = 1;
	options = chosen(0, 0);
	cr_assert_eq(options.processes, 1);
	cr_assert_eq(options.threads, cpus_allowed());
	service.threads = 3;
	options = chosen(0, 0);
	cr_assert_eq(options.processes, 1);
	cr_assert_eq(options.threads, 3);
	cr_assert_eq(options.cpus, 0, "nothing is chosen by the machine");
}

Test(shape, that_was_asked_for_is_chosen_and_judged)
{
	service.processes = 1;
	cr_assert_eq(chosen(2, 1).processes, 2);
	cr_assert_null(shape_fault(&service, 1, 8));
	cr_assert_str_eq(shape_fault(&service, 2, 1), "store runs in 1 process, not in 2");
	service.threads = 2;
	cr_assert_str_eq(
		shape_fault(&service, 1, 1), "store runs in 2 threads per process, not in 1");
	service.processes = 0;
	cr_assert_null(shape_fault(&service, 7, 2));
}

Test(shape, that_the_service_wishes_is_the_default)
{
	struct hubbub_option rows[] = {{.name = "processes", .standard = "auto"},
		{.name = "threads", .standard = "auto"}, {0}};

	service.processes = 4;
	shape_set_defaults(rows, &service);
	cr_assert_str_eq(rows->standard, "4");
	cr_assert_str_eq((rows + 1)->standard, "auto");
}
