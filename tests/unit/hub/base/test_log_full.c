/* Standard error is a pipe that nobody reads, and that is full, or nearly so. No line waits. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "hub/base/log.h"

#define PAGE 4096

static int saved, ends[2];
static uint64_t lost;

static void
fill_page(void)
{
	static const char page[PAGE];

	cr_assert_eq(write(ends[1], page, sizeof page), PAGE);
}

/* Returns whether there was a page. */
static bool
read_page(void)
{
	char page[PAGE];

	return read(ends[0], page, sizeof page) == PAGE;
}

/* A pipe of two pages; a line is lost already. */
static void
begin(void)
{
	saved = dup(STDERR_FILENO);
	cr_assert_eq(pipe(ends), 0);
	cr_assert_eq(fcntl(ends[1], F_SETPIPE_SZ, 2 * PAGE), 2 * PAGE);
	dup2(ends[1], STDERR_FILENO);
	fill_page();
	fill_page();
	log_count_lost(&lost);
	log_warning("this one is lost");
}

static void
end(void)
{
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[0]);
	close(ends[1]);
	log_count_lost(NULL);
}

TestSuite(log_full, .init = begin, .fini = end, .timeout = 60);

/* The line that says how many are lost takes the room. */
Test(log_full, no_line_waits_behind_the_line_of_those_that_are_lost)
{
	static char name[101], text[LOG_LINE_MAX - 200];

	memset(name, 'n', sizeof name - 1);
	log_setup(name, LOG_INFO, LOG_TEXT);
	cr_assert(read_page());
	memset(text, 'x', sizeof text);
	log_put(&(struct log_entry){.level = LOG_INFO, .message = text, .length = sizeof text});
	cr_assert_eq(lost, 2, "%lu", (unsigned long)lost);
}

/* Since Linux 6.4. */
static bool
pipes_have_nowait(void)
{
	const struct iovec part = {"x", 1};
	int own[2];
	bool have_it = pipe(own) == 0 && pwritev2(own[1], &part, 1, -1, RWF_NOWAIT) == 1;

	close(own[0]);
	close(own[1]);
	return have_it;
}

/* So it is, too, if another process has been faster since the pipe was found writable. */
Test(log_full, no_text_waits_that_is_longer_than_the_room)
{
	static char text[2 * PAGE];

	if (!pipes_have_nowait())
		cr_skip("needs pipes that can be told not to wait");
	log_forget_lost();
	cr_assert(read_page());
	memset(text, 'x', sizeof text);
	text[sizeof text - 1] = '\n';
	log_bare(LOG_INFO, text, sizeof text);
	cr_assert_eq(lost, 2, "%lu", (unsigned long)lost);
}

/* A process that fails a check has to end. */
Test(log_full, the_words_of_a_fault_wait_but_not_for_ever)
{
	cr_assert_not(log_fault("nobody reads"));
}

static void *
read_later(void *has_read)
{
	usleep(20000);
	*(bool *)has_read = read_page();
	return NULL;
}

Test(log_full, the_words_of_a_fault_wait_for_who_reads)
{
	bool has_read = false;
	pthread_t reader;

	pthread_create(&reader, NULL, read_later, &has_read);
	cr_expect(log_fault("somebody reads"));
	pthread_join(reader, NULL);
	cr_assert(has_read);
}
