/* What libev calls is ours, and not libc's. */
#include <criterion/criterion.h>
#include <dlfcn.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>

static void *
second(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

Test(before, libevs_calls_are_found_before_libcs)
{
	static const char *const names[] = {"epoll_ctl", "poll"};

	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
		void *first = dlsym(RTLD_DEFAULT, names[i]);

		cr_assert_not_null(first);
		cr_assert_neq(first, second(names[i]), "%s is libc's", names[i]);
	}
}
