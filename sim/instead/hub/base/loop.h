/* The simulated loop, in the place of hub/base/loop.h: libev's types and macros, and functions of
 * the same names with sim_ before them, which sim/loop/loop.c defines. libev itself is not
 * linked. */
#ifndef HUBBUB_SIM_LOOP_H
#define HUBBUB_SIM_LOOP_H

#define ev_loop_new sim_ev_loop_new
#define ev_loop_destroy sim_ev_loop_destroy
#define ev_loop_fork sim_ev_loop_fork
#define ev_set_syserr_cb sim_ev_set_syserr_cb
#define ev_run sim_ev_run
#define ev_now_update sim_ev_now_update
#define ev_io_start sim_ev_io_start
#define ev_io_stop sim_ev_io_stop
#define ev_timer_start sim_ev_timer_start
#define ev_timer_stop sim_ev_timer_stop
#define ev_timer_remaining sim_ev_timer_remaining
#define ev_async_start sim_ev_async_start
#define ev_async_stop sim_ev_async_stop
#define ev_async_send sim_ev_async_send
#define ev_signal_start sim_ev_signal_start
#define ev_signal_stop sim_ev_signal_stop

#include <ev.h>

#endif
