/* The real echo service (master/echo.c), without its main. */
#ifndef HUBBUB_TESTS_SIM_WORKER_ECHO_H
#define HUBBUB_TESTS_SIM_WORKER_ECHO_H

struct hubbub_service;

const struct hubbub_service *echo_service(void);

#endif
