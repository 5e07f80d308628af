/* C++ in coroutines: exceptions, statics and destructors. Each check that fails is a line; "escape"
 * lets an exception out of a coroutine, which ends the process. */
#include <hubbub/hub.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <stdexcept>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

static int failures;

#define CHECK(condition)                                                                           \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			std::printf("%s:%d: %s\n", __FILE__, __LINE__, #condition);               \
			failures++;                                                                \
		}                                                                                  \
	} while (0)

#define COUNT 8

static void
run(hub_fn *body, int count)
{
	hub_coroutine *all[COUNT];

	for (intptr_t i = 0; i < count; i++)
		all[i] = hub_spawn(body, reinterpret_cast<void *>(i));
	for (int i = 0; i < count; i++)
		CHECK(hub_join(all[i], nullptr) == 0);
}

static void
pause_for(long number)
{
	hub_sleep((1 + number * 7 % 5) * HUB_MILLISECOND);
}

/* ---- exceptions ---- */

static std::string
name_of(long number)
{
	return "the exception of coroutine " + std::to_string(number);
}

static bool
is_named(const std::exception_ptr &pointer, const std::string &name)
{
	try {
		if (pointer)
			std::rethrow_exception(pointer);
	} catch (const std::runtime_error &error) {
		return error.what() == name;
	}
	return false;
}

static void
handle_and_throw_again(long number)
{
	try {
		throw std::runtime_error(name_of(number));
	} catch (const std::runtime_error &error) {
		pause_for(number);
		CHECK(error.what() == name_of(number));
		CHECK(is_named(std::current_exception(), name_of(number)));
		try {
			throw std::logic_error("inner");
		} catch (const std::logic_error &) {
			pause_for(number + 3);
		}
		CHECK(is_named(std::current_exception(), name_of(number)));
		pause_for(number + 1);
		throw;
	}
}

static void *
keeps_its_own(void *argument)
{
	long number = static_cast<long>(reinterpret_cast<intptr_t>(argument));

	CHECK(!std::current_exception());
	for (int i = 0; i < 5; i++) {
		try {
			handle_and_throw_again(number);
			CHECK(false);
		} catch (const std::runtime_error &error) {
			CHECK(error.what() == name_of(number));
			pause_for(number);
		}
		CHECK(!std::current_exception());
	}
	return nullptr;
}

/* A destructor may wait while the stack is unwound; others throw meanwhile, or do not. */
struct waits_at_its_end {
	long number;

	~waits_at_its_end()
	{
		CHECK(std::uncaught_exceptions() == 1);
		pause_for(number);
		CHECK(std::uncaught_exceptions() == 1);
	}
};

static void *
unwinds_slowly(void *argument)
{
	long number = static_cast<long>(reinterpret_cast<intptr_t>(argument));

	for (int i = 0; i < 5; i++) {
		CHECK(std::uncaught_exceptions() == 0);
		try {
			waits_at_its_end slow{number};

			if (number % 2 == 0)
				throw number;
			std::uncaught_exceptions() == 0 ? throw 1 : throw 2;
		} catch (long caught) {
			CHECK(caught == number);
		} catch (int caught) {
			CHECK(caught == 1);
		}
		pause_for(number);
	}
	return nullptr;
}

static std::exception_ptr passed;

static void *
passes_on(void *)
{
	try {
		throw std::runtime_error("passed on");
	} catch (...) {
		passed = std::current_exception();
	}
	return nullptr;
}

static void *
takes(void *)
{
	hub_sleep(HUB_MILLISECOND);
	CHECK(is_named(passed, "passed on"));
	passed = nullptr;
	return nullptr;
}

static void *
generates(void *)
{
	for (long i = 0; i < 3; i++) {
		try {
			throw i;
		} catch (long caught) {
			hub_yield(reinterpret_cast<void *>(caught));
			CHECK(caught == i);
		}
	}
	return nullptr;
}

static void
generate_while_handling()
{
	hub_generator *numbers = hub_generator_new(generates, nullptr);
	void *number;

	try {
		throw std::runtime_error("outside");
	} catch (...) {
		while (hub_generator_next(numbers, &number))
			CHECK(is_named(std::current_exception(), "outside"));
	}
	CHECK(!std::current_exception());
	hub_generator_free(numbers);
}

/* The child has the parent's exception, and no hub. */
static void
fork_while_handling()
{
	int status = -1;
	pid_t pid = -1;

	try {
		try {
			throw std::runtime_error("before");
		} catch (...) {
			pid = fork();
			if (pid == 0)
				throw;
		}
	} catch (const std::runtime_error &error) {
		_exit(std::strcmp(error.what(), "before") == 0 ? 7 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 7);
}

/* ---- static variables ---- */

static int makes, fails;

struct slowly_made {
	int value;

	slowly_made()
	{
		makes++;
		hub_sleep(20 * HUB_MILLISECOND);
		value = 42;
	}
};

static int
slow_value()
{
	static slowly_made slow;

	return slow.value;
}

struct made_at_the_second_try {
	made_at_the_second_try()
	{
		hub_sleep(5 * HUB_MILLISECOND);
		if (fails++ == 0)
			throw std::runtime_error("not yet");
	}
};

static void
use_the_second_try()
{
	static made_at_the_second_try late;
	(void)late;
}

static int first_tries;

static void *
needs_statics(void *)
{
	CHECK(slow_value() == 42);
	try {
		use_the_second_try();
	} catch (const std::runtime_error &) {
		first_tries++;
		use_the_second_try();
	}
	return nullptr;
}

static int ticks;

static void *
ticks_on(void *)
{
	while (makes == 0 || ticks < 5) {
		ticks++;
		hub_sleep(HUB_MILLISECOND);
	}
	return nullptr;
}

struct made_by_threads {
	int value;

	made_by_threads()
	{
		hub_sleep(20 * HUB_MILLISECOND);
		value = 43;
	}
};

static void *
needs_what_another_thread_makes(void *)
{
	static made_by_threads shared;

	if (shared.value != 43)
		std::abort();
	return nullptr;
}

static void
in_threads()
{
	std::thread with_hub([] { hub_run(needs_what_another_thread_makes, nullptr, nullptr); });
	std::thread other([] { hub_run(needs_what_another_thread_makes, nullptr, nullptr); });
	std::thread plain([] {
		needs_what_another_thread_makes(nullptr);
		try {
			throw 5;
		} catch (int caught) {
			if (caught != 5)
				std::abort();
		}
	});

	with_hub.join();
	other.join();
	plain.join();
}

/* ---- kills ---- */

static int destroyed;

struct counts {
	~counts() { destroyed++; }
};

struct was_killed {};

static void *
throws_when_killed(void *)
{
	try {
		counts one;

		if (hub_sleep(HUB_SECOND) != 0 && errno == ECANCELED)
			throw was_killed();
		CHECK(false);
	} catch (const was_killed &) {
		CHECK(hub_sleep(0) == -1);
	}
	return nullptr;
}

static void
kill_some()
{
	hub_coroutine *all[COUNT];

	for (auto &one : all)
		one = hub_spawn(throws_when_killed, nullptr);
	hub_sleep(HUB_MILLISECOND);
	for (auto one : all)
		CHECK(hub_kill(one) == 0 && hub_join(one, nullptr) == 0);
	CHECK(destroyed == COUNT);
}

/* ---- all ---- */

static void *
all(void *)
{
	run(keeps_its_own, COUNT);
	run(unwinds_slowly, COUNT);
	hub_coroutine *first = hub_spawn(passes_on, nullptr), *second = hub_spawn(takes, nullptr);
	CHECK(hub_join(first, nullptr) == 0 && hub_join(second, nullptr) == 0);
	generate_while_handling();
	fork_while_handling();
	hub_coroutine *ticker = hub_spawn(ticks_on, nullptr);
	run(needs_statics, COUNT);
	CHECK(hub_join(ticker, nullptr) == 0);
	CHECK(makes == 1 && fails == 2 && first_tries == 1);
	kill_some();
	return nullptr;
}

static void *
escapes(void *)
{
	throw std::runtime_error("out of a coroutine");
}

int
main(int argc, char **)
{
	if (argc > 1)
		return hub_run(escapes, nullptr, nullptr);
	in_threads();
	CHECK(hub_run(all, nullptr, nullptr) == 0);
	if (failures > 0)
		return 1;
	std::puts("exceptions, statics and destructors are each coroutine's own");
	return 0;
}
