/* A hub's part of the flight recorder: when it records, and what is recorded of it at each pulse.
 * The hub's thread only. */
#ifndef HUBBUB_WORKER_RECORDING_H
#define HUBBUB_WORKER_RECORDING_H

struct worker_thread;

/* Says whose the hub's ring is, and begins to record if that is wanted already. In the hub's first
 * coroutine. Switches: no. */
void thread_recording_begin(struct worker_thread *thread);

/* At each pulse: begins or ends recording, as the master wants it, and records the hub's gauges.
 * Switches: no. */
void thread_recording_pulse(struct worker_thread *thread);

#endif
