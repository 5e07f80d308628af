/* libev's calls that make descriptors are ours, and to everybody else as libc's. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <hubbub/io/own.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

Test(before_made, libevs_calls_are_found_before_libcs)
{
	cr_assert_neq(dlsym(RTLD_DEFAULT, "epoll_create1"), dlsym(RTLD_NEXT, "epoll_create1"));
	cr_assert_neq(dlsym(RTLD_DEFAULT, "eventfd"), dlsym(RTLD_NEXT, "eventfd"));
}

Test(before_made, what_a_program_makes_is_its_own_and_the_lowest_number)
{
	int free_one = dup(STDERR_FILENO), set, event;

	close(free_one);
	set = epoll_create1(0);
	event = eventfd(0, 0);
	cr_expect_eq(set, free_one);
	cr_expect_eq(event, free_one + 1);
	cr_expect_not(hub_owns(set));
	cr_expect_not(hub_owns(event));
	close(set);
	close(event);
	cr_assert_eq(epoll_create1(-1), -1);
}
