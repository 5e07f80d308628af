/* What a select waited for is gone when it looks, and its memory, or its number, is another's: it
 * takes nobody for what is gone. */
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "hub/scheduler_priv.h"
#include "tests/support/in_hub.h"
#include "tests/support/trace.h"

static int pair[2];

static struct {
	struct hub_coroutine *selector, *gone, *successor;
	struct hub_result *result; /* arrives, and its memory goes */
	int closed; /* its number is another's in the end, where there is something to read */
	int heir[2];
	bool has_gone;
} scene;

/* The loop is polled when the caller yields next, or not before somebody else has said so. */
static void
yield(bool is_polling)
{
	hub_this->ticks = is_polling ? 1 : 1000;
	hub_this->slice_started -= is_polling ? HUB_SECOND : 0;
	hub_sleep(0);
}

/* Once the selector is woken by the first descriptor, and has not run: what there was is gone, and
 * so is this. */
static void *
go_in_time(void *argument)
{
	char byte;

	while (scene.selector == NULL || scene.selector->state == COROUTINE_WAITING)
		yield(false);
	recv(pair[1], &byte, 1, MSG_DONTWAIT);
	scene.has_gone = true;
	return argument;
}

static void *
sleep_in_its_place(void *argument)
{
	hub_sleep(HUB_FOREVER);
	return argument;
}

static void *
replace_in_time(void *argument)
{
	while (!scene.has_gone)
		yield(true);
	scene.successor = hub_spawn(sleep_in_its_place, NULL);
	hub_close(scene.closed);
	dup2(scene.heir[1], scene.closed);
	hub_adopt(scene.closed);
	hub_result_set(scene.result, NULL);
	munmap(scene.result, sizeof *scene.result);
	return argument;
}

static void
set_scene(hub_fn *go)
{
	memset(&scene, 0, sizeof scene);
	socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
	socketpair(AF_UNIX, SOCK_STREAM, 0, scene.heir);
	send(scene.heir[0], "x", 1, 0);
	scene.closed = dup(pair[0]);
	scene.result = mmap(NULL, sizeof *scene.result, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	scene.gone = hub_spawn(go, NULL);
	hub_detach(scene.gone);
}

static void
clear_scene(void)
{
	trace_whether("used again", scene.successor == scene.gone);
	hub_kill(scene.successor);
	hub_join(scene.successor, NULL);
	hub_close(pair[0]);
	hub_close(pair[1]);
	hub_close(scene.closed);
	close(scene.heir[0]);
	close(scene.heir[1]);
}

/* The second case of a select, which is about something that is gone. */
struct about {
	const char *name;
	struct hub_case (*make)(void);
};

static struct hub_case
about_ended(void)
{
	return hub_case_ended(scene.gone);
}

static struct hub_case
about_closed(void)
{
	return hub_case_fd(scene.closed, POLLIN);
}

static struct hub_case
about_result(void)
{
	return hub_case_result(scene.result);
}

static struct about abouts[] = {
	{"ended", about_ended}, {"closed", about_closed}, {"result", about_result}};

enum { ABOUTS = sizeof abouts / sizeof abouts[0] };

static void *
select_two(void *argument)
{
	const struct about *about = argument;
	struct hub_case cases[] = {hub_case_fd(pair[1], POLLIN), about->make()};
	int index = hub_select(cases, 2, 5 * HUB_SECOND);

	if (index != 1)
		trace_say("%s: not its case, but %d", about->name, index);
	else
		trace_error(about->name, cases[1].error);
	return NULL;
}

/* Where no slot is used again the tests tell nothing. */
static const char expected[] =
	"ended 0, used again, closed EBADF, used again, result 0, used again";

static void *
in_vain_body(void *argument)
{
	for (int i = 0; i < ABOUTS; i++) {
		struct hub_coroutine *replacer, *selector;

		set_scene(go_in_time);
		replacer = hub_spawn(replace_in_time, NULL);
		selector = hub_spawn(select_two, &abouts[i]);
		until_it_waits(selector);
		scene.selector = selector;
		send(pair[0], "x", 1, 0);
		hub_join(selector, NULL);
		hub_join(replacer, NULL);
		clear_scene();
	}
	return argument;
}

Test(select_gone, woken_in_vain_it_takes_nobody_for_what_is_gone)
{
	in_hub(in_vain_body, NULL);
	cr_assert_str_eq(trace_text(), expected);
}

/* The same in its turn, before it has looked at anything. */
static void *
go_at_once(void *argument)
{
	scene.has_gone = true;
	return argument;
}

static void *
turn_body(void *argument)
{
	for (int i = 0; i < ABOUTS; i++) {
		struct hub_coroutine *replacer;

		set_scene(go_at_once);
		replacer = hub_spawn(replace_in_time, NULL);
		hub_this->ticks = 1;
		hub_this->slice_started -= HUB_SECOND;
		select_two(&abouts[i]);
		hub_join(replacer, NULL);
		clear_scene();
	}
	return argument;
}

Test(select_gone, in_its_turn_it_takes_nobody_for_what_is_gone)
{
	in_hub(turn_body, NULL);
	cr_assert_str_eq(trace_text(), expected);
}
