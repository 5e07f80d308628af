/* Files that are closed while another thread makes a call for them: the call reaches the one that
 * it was made for, and not the next owner of the number. */
#include <sys/mman.h>
#include <unistd.h>

#include "hub/scheduler_priv.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

struct files {
	int one, other;
};

static void *
write_one(void *argument)
{
	trace_call("write", hub_write(*(int *)argument, "written", 7));
	return NULL;
}

static void *
write_at(void *argument)
{
	trace_call("pwrite", hub_pwrite(*(int *)argument, "W", 1, 0));
	return NULL;
}

static void *
sync_one(void *argument)
{
	trace_call("fsync", hub_fsync(*(int *)argument));
	return NULL;
}

/* The call is made for one; while it is, the number becomes the other's. */
static void
exchange_during(hub_fn *call, const struct files *files)
{
	int number = dup(files->one);
	struct hub_coroutine *coroutine = hub_spawn(call, &number);

	while (coroutine->state == COROUTINE_READY)
		hub_sleep(0);
	hub_close(number);
	dup2(files->other, number);
	hub_join(coroutine, NULL);
	hub_close(number);
}

static void *
files_body(void *argument)
{
	exchange_during(write_one, argument);
	exchange_during(write_at, argument);
	exchange_during(sync_one, argument);
	return NULL;
}

Test(closed_meanwhile_files, calls_reach_the_one_that_they_were_made_for)
{
	struct files files = {.one = memfd_create("one", 0), .other = memfd_create("other", 0)};
	char text[8] = "";

	in_hub(files_body, &files);
	cr_assert_str_eq(trace_text(), "write 7, pwrite 1, fsync 0");
	cr_assert_eq(pread(files.one, text, sizeof text, 0), 7);
	cr_assert_str_eq(text, "Written");
	cr_assert_eq(pread(files.other, text, sizeof text, 0), 0);
	close(files.one);
	close(files.other);
}
