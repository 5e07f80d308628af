/* What stands for processes and threads, which the world has not: included before all else by
 * worker/ and master/fleet/ where they are compiled for the simulated world (tests/CMakeLists.txt).
 * process.c defines it. */
#ifndef HUBBUB_TESTS_SIM_WORKER_INSTEAD_H
#define HUBBUB_TESTS_SIM_WORKER_INSTEAD_H

#include <pthread.h>
#include <semaphore.h>
#include <sys/wait.h>
#include <unistd.h>

#include "hub/base/loop.h"
#include "hub/coroutine.h"

int process_start_thread(
	pthread_t *thread, const pthread_attr_t *attributes, hub_fn *body, void *argument);
int process_join_thread(pthread_t thread, void **result);

int process_wait_semaphore(sem_t *semaphore);
int process_post_semaphore(sem_t *semaphore);

_Noreturn void process_exit(int code);

/* The descriptor that stands for the running process's log. */
int process_log(void);

int process_waitid(idtype_t kind, id_t id, siginfo_t *status, int flags);

#define pthread_create process_start_thread
#define pthread_join process_join_thread
#define pthread_setname_np(thread, name) ((void)(thread), (void)(name))
#define sem_wait process_wait_semaphore
#define sem_post process_post_semaphore
#define waitid process_waitid
#define _exit process_exit

#undef STDERR_FILENO
#define STDERR_FILENO process_log()

#endif
