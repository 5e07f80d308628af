/* The loop: the other half of the door to the kernel (kernel.h), and the only header that includes
 * libev's. These are the calls of libev that hub/ uses, by libev's own names, which are functions
 * or macros of one struct ev_loop:
 *
 *	ev_loop_new, ev_loop_destroy, ev_loop_fork, ev_set_syserr_cb, ev_run, ev_now_update
 *	ev_io_init, ev_io_set, ev_io_start, ev_io_stop, ev_is_active
 *	ev_timer_init, ev_timer_set, ev_timer_start, ev_timer_stop, ev_timer_remaining
 *	ev_async_init, ev_async_start, ev_async_stop, ev_async_send
 *	ev_signal_init, ev_signal_start, ev_signal_stop
 *
 * A simulation of the kernel links a loop of its own under these names: ev_run with EVRUN_ONCE lets
 * time pass until a watcher's fd is ready or its timer due. tests/lint/door checks that the list is
 * complete. */
#ifndef HUBBUB_BASE_LOOP_H
#define HUBBUB_BASE_LOOP_H

#include <ev.h>

#endif
