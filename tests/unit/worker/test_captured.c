/* Each test is a process of its own, whose standard streams it changes. */
#include "worker/captured.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "hub/base/log.h"

static int log_file, ends[2], saved[2];

/* Standard error is a file from now on, which stands for the log. */
static void
begin(void)
{
	saved[0] = dup(STDOUT_FILENO);
	saved[1] = dup(STDERR_FILENO);
	log_file = memfd_create("log", MFD_CLOEXEC);
	dup2(log_file, STDERR_FILENO);
	cr_assert_eq(pipe2(ends, O_NONBLOCK), 0);
}

static void
end(void)
{
	dup2(saved[0], STDOUT_FILENO);
	dup2(saved[1], STDERR_FILENO);
}

TestSuite(captured, .init = begin, .fini = end, .timeout = 60);

static const char *
read_all(int fd)
{
	static char text[2][1024];
	static int which;
	char *into = text[which = !which];
	ssize_t length = fd == log_file ? pread(fd, into, 1023, 0) : read(fd, into, 1023);

	into[length > 0 ? length : 0] = '\0';
	return into;
}

Test(captured, what_is_printed_goes_to_the_pipe_and_the_log_stays)
{
	cr_assert_eq(captured_log(), STDERR_FILENO);
	cr_assert_eq(captured_begin(ends[1]), 0);
	cr_assert_eq(fcntl(ends[1], F_GETFD), -1, "the pipe has no other number");
	cr_assert_gt(captured_log(), STDERR_FILENO);
	cr_assert_eq(fcntl(captured_log(), F_GETFD), FD_CLOEXEC);
	printf("printed\n");
	fprintf(stderr, "complained\n");
	log_warning("logged");
	log_bare(LOG_ERROR, "bare\n", 5);
	end();
	cr_expect_str_eq(read_all(ends[0]), "printed\ncomplained\n<3>bare\n");
	cr_expect_not_null(strstr(read_all(log_file), "]: logged\n"));
	cr_expect_null(strstr(read_all(log_file), "<3>"));
}

Test(captured, without_a_reader_all_goes_to_the_log)
{
	captured_end();
	cr_assert_eq(captured_begin(ends[1]), 0);
	captured_end();
	printf("printed\n");
	fprintf(stderr, "complained\n");
	log_warning("logged");
	log_bare(LOG_ERROR, "bare\n", 5);
	end();
	cr_expect_str_eq(read_all(ends[0]), "");
	cr_expect_not_null(strstr(read_all(log_file), "printed\ncomplained\n"));
	cr_expect_not_null(strstr(read_all(log_file), "]: logged\nbare\n"));
}

/* What a service starts does not have it. */
Test(captured, a_log_that_is_reopened_closes_on_exec)
{
	int later = memfd_create("later", 0);

	captured_reopen(later);
	log_warning("to standard error");
	cr_assert_eq(captured_begin(ends[1]), 0);
	log_file = memfd_create("latest", 0);
	captured_reopen(log_file);
	cr_expect_eq(fcntl(captured_log(), F_GETFD), FD_CLOEXEC);
	log_warning("to its own");
	end();
	cr_expect_not_null(strstr(read_all(log_file), "]: to its own\n"));
	log_file = later;
	cr_expect_not_null(strstr(read_all(later), "]: to standard error\n"));
}

Test(captured, what_a_service_has_made_a_file_of_its_own_stays)
{
	int audit = memfd_create("audit", MFD_CLOEXEC);

	cr_assert_eq(captured_begin(ends[1]), 0);
	dup2(audit, STDOUT_FILENO);
	captured_end();
	printf("audited\n");
	fprintf(stderr, "complained\n");
	end();
	cr_expect_str_eq(read_all(log_file), "complained\n");
	log_file = audit;
	cr_expect_str_eq(read_all(audit), "audited\n");
}

Test(captured, the_log_stays_out_of_what_a_service_has_made_standard_error)
{
	int own = memfd_create("own", MFD_CLOEXEC);

	cr_assert_eq(captured_begin(ends[1]), 0);
	dup2(own, STDERR_FILENO);
	captured_end();
	log_warning("logged");
	fprintf(stderr, "complained\n");
	end();
	cr_expect_not_null(strstr(read_all(log_file), "]: logged\n"));
	log_file = own;
	cr_expect_str_eq(read_all(own), "complained\n");
}
