/* How programs misuse hubs, and what they are told. */
#ifndef HUBBUB_TESTS_MISUSE_H
#define HUBBUB_TESTS_MISUSE_H

#include <hubbub/hub.h>
#include <stdbool.h>

struct misuse {
	const char *name;
	void *(*scene)(void *function); /* in a hub, unless is_bare */
	hub_fn *function;
	const char *sentence;
	bool is_bare;
};

/* Commits each in a process of its own, which has to end by abort(3) with the sentence. */
void misuse_expect_sentences(const struct misuse *misuses, size_t count);

/* ---- bodies ---- */

void *misuse_idle(void *argument);
void *misuse_end_at_once(void *argument);
/* Until they get misuse_idle as a value. */
void *misuse_switch_back(void *argument);
void *misuse_yield_for_ever(void *argument);
void *misuse_wait_for_event(void *event);

struct visit {
	hub_fn *function;
	void *argument;
};

/* Runs function(argument) in a thread, to its end; in a coroutine of a hub of that thread. */
void misuse_in_thread(hub_fn *function, void *argument);
void misuse_in_other_hub(hub_fn *function, void *argument);

#endif
