/* All the scenes that test_calls.c and test_calls_children.c play. */
#ifndef HUBBUB_TESTS_SCENES_H
#define HUBBUB_TESTS_SCENES_H

#include "tests/unit/hub/patch/scene.h"

/* By families, in files of their names; each ends with a row without a call. */
extern const struct scene_case scenes_of_sockets[], scenes_of_files[], scenes_of_names[],
	scenes_of_children[], scenes_of_threads[], scenes_of_others[];

/* More than all of them are. */
#define SCENES_MAX 200

/* Copies all of them. Returns how many there are. */
size_t scenes_all(struct scene_case cases[SCENES_MAX]);

/* What scenes_of_others consists of, in the test files of what is called. */
scene_fn scenes_make_pipes, scenes_write_to_pipe, scenes_splice, scenes_tee, scenes_make_full_pipe,
	scenes_empty_pipe, scenes_vmsplice, scenes_vdprintf, scenes_copy_file_range,
	scenes_make_event, scenes_add_to_event, scenes_eventfd_read, scenes_make_full_event,
	scenes_take_from_event, scenes_eventfd_write, scenes_make_locked, scenes_unlock,
	scenes_flock, scenes_fcntl, scenes_fcntl_of_process, scenes_lockf, scenes_make_messages,
	scenes_send_message, scenes_msgrcv, scenes_make_full_messages, scenes_take_message,
	scenes_msgsnd, scenes_make_semaphores, scenes_raise_semaphore, scenes_semop,
	scenes_semtimedop, scenes_make_queue, scenes_fill_queue, scenes_make_full_queue,
	scenes_empty_queue, scenes_mq_receive, scenes_mq_timedreceive, scenes_mq_send,
	scenes_mq_timedsend, scenes_thrd_sleep, scenes_thrd_join, scenes_make_once, scenes_end_once,
	scenes_pthread_once, scenes_make_held, scenes_release, scenes_mtx_lock, scenes_mtx_trylock,
	scenes_mtx_timedlock, scenes_make_condition, scenes_signal, scenes_cnd_wait,
	scenes_cnd_timedwait, scenes_make_barrier, scenes_meet, scenes_barrier_wait;

#endif
