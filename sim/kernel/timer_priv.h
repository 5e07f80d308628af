/* Timers that are read: timerfd. */
#ifndef HUBBUB_SIM_TIMER_PRIV_H
#define HUBBUB_SIM_TIMER_PRIV_H

#include <stdbool.h>
#include <sys/timerfd.h>

struct file;

/* NULL without memory. is_real: by CLOCK_REALTIME, else CLOCK_MONOTONIC. */
struct file *timer_new(bool is_real);

/* As timerfd_gettime(2), and timerfd_settime(2) but for the old value. */
int timer_tell(struct file *file, struct itimerspec *value);
int timer_set(struct file *file, int flags, const struct itimerspec *value);

#endif
