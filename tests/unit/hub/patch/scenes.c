/* The table of scenes, which is put together from those of the families. */
#include "tests/unit/hub/patch/scenes.h"

#include <criterion/criterion.h>

const struct scene_case scenes_of_others[] = {
	{"splice", scenes_make_pipes, scenes_splice, scenes_write_to_pipe, 5, SCENE_WAITS_FOR_FD},
	{"tee", scenes_make_pipes, scenes_tee, scenes_write_to_pipe, 5, SCENE_WAITS_FOR_FD},
	{"vmsplice", scenes_make_full_pipe, scenes_vmsplice, scenes_empty_pipe, 5, 0},
	{"vdprintf", scenes_make_full_pipe, scenes_vdprintf, scenes_empty_pipe, 7, 0},
	{"copy_file_range", NULL, scenes_copy_file_range, NULL, 5, 0},
	{"eventfd_read", scenes_make_event, scenes_eventfd_read, scenes_add_to_event, 5,
		SCENE_WAITS_FOR_FD},
	{"eventfd_write", scenes_make_full_event, scenes_eventfd_write, scenes_take_from_event, 0,
		SCENE_WAITS_FOR_FD},
	{"flock", scenes_make_locked, scenes_flock, scenes_unlock, 0, SCENE_WAITS_FOR_FD},
	{"lockf", scenes_make_locked, scenes_lockf, scenes_unlock, 0, SCENE_WAITS_FOR_FD},
	{"fcntl, of an open file", scenes_make_locked, scenes_fcntl, scenes_unlock, 0,
		SCENE_WAITS_FOR_FD},
	{"fcntl, of a process", scenes_make_locked, scenes_fcntl_of_process, scenes_unlock, 0,
		SCENE_WAITS_FOR_FD},
	{"msgrcv", scenes_make_messages, scenes_msgrcv, scenes_send_message, 5, 0},
	{"msgsnd", scenes_make_full_messages, scenes_msgsnd, scenes_take_message, 0, 0},
	{"semop", scenes_make_semaphores, scenes_semop, scenes_raise_semaphore, 0, 0},
	{"semtimedop", scenes_make_semaphores, scenes_semtimedop, scenes_raise_semaphore, 0, 0},
	{"mq_receive", scenes_make_queue, scenes_mq_receive, scenes_fill_queue, 5,
		SCENE_WAITS_FOR_FD},
	{"mq_timedreceive", scenes_make_queue, scenes_mq_timedreceive, scenes_fill_queue, 5,
		SCENE_WAITS_FOR_FD},
	{"mq_send", scenes_make_full_queue, scenes_mq_send, scenes_empty_queue, 0,
		SCENE_WAITS_FOR_FD},
	{"mq_timedsend", scenes_make_full_queue, scenes_mq_timedsend, scenes_empty_queue, 0,
		SCENE_WAITS_FOR_FD},
	{"thrd_sleep", NULL, scenes_thrd_sleep, NULL, 0, 0},
	{"thrd_join", NULL, scenes_thrd_join, NULL, 5, SCENE_NEEDS_THREADS},
	{"pthread_once", scenes_make_once, scenes_pthread_once, scenes_end_once, 0, 0},
	{"pthread_barrier_wait", scenes_make_barrier, scenes_barrier_wait, scenes_meet, 0, 0},
	{"mtx_lock", scenes_make_held, scenes_mtx_lock, scenes_release, 0, 0},
	{"mtx_trylock", scenes_make_held, scenes_mtx_trylock, NULL, 0, SCENE_MAY_BE_DONE},
	{"mtx_timedlock", scenes_make_held, scenes_mtx_timedlock, scenes_release, 0, 0},
	{"cnd_wait", scenes_make_condition, scenes_cnd_wait, scenes_signal, 0, 0},
	{"cnd_timedwait", scenes_make_condition, scenes_cnd_timedwait, scenes_signal, 0, 0},
	{0},
};

size_t
scenes_all(struct scene_case cases[SCENES_MAX])
{
	static const struct scene_case *const families[] = {scenes_of_sockets, scenes_of_files,
		scenes_of_names, scenes_of_children, scenes_of_threads, scenes_of_others};
	size_t count = 0;

	for (size_t i = 0; i < sizeof families / sizeof families[0]; i++)
		for (const struct scene_case *row = families[i]; row->call != NULL; row++) {
			cr_assert_lt(count, SCENES_MAX);
			cases[count++] = *row;
		}
	return count;
}
