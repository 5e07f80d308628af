/* A plain C++ program of threads, which knows nothing of hubs: exceptions and static variables are
 * each thread's own, also when its threads are made coroutines of one (libhubbub-patch). */
#include <pthread.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

static std::atomic<int> made;

struct slow {
	int value;

	slow()
	{
		made++;
		usleep(20000);
		value = 42;
	}
};

static int
slow_value()
{
	static slow one;

	return one.value;
}

static pthread_once_t control = PTHREAD_ONCE_INIT;
static std::atomic<int> attempts;

static void
attempt()
{
	const int number = ++attempts;

	usleep(5000);
	if (number < 3)
		throw number;
}

/* Another one begins what an exception has left. */
static void
attempt_once()
{
	try {
		pthread_once(&control, attempt);
	} catch (int) {
		attempt_once();
	}
}

static void
work(int number)
{
	const std::string name = "thread " + std::to_string(number);

	for (int i = 0; i < 5; i++) {
		try {
			try {
				throw std::runtime_error(name);
			} catch (const std::runtime_error &) {
				usleep(static_cast<unsigned>(1000 + number * 700 % 3000));
				throw;
			}
		} catch (const std::runtime_error &error) {
			if (error.what() != name) {
				std::printf("%s catches what is %s's\n", name.c_str(), error.what());
				std::exit(1);
			}
		}
	}
	attempt_once();
	if (slow_value() != 42 || attempts != 3)
		std::abort();
}

int
main()
{
	std::vector<std::thread> threads;

	for (int i = 0; i < 8; i++)
		threads.emplace_back(work, i);
	for (auto &one : threads)
		one.join();
	return made != 1;
}
