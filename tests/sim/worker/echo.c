/* master/echo.c gives its service to hubbub_main, which here only keeps it. */
#include "tests/sim/worker/echo.h"

#include <errno.h>
#include <hubbub/hub.h>
#include <hubbub/server.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int echo_main(int argc, char **argv);

#define main echo_main
#include "master/echo.c"
#undef main

static const struct hubbub_service *kept;

int
hubbub_main(int argc, char **argv, const struct hubbub_service *service)
{
	(void)argc, (void)argv;
	kept = service;
	return 0;
}

const struct hubbub_service *
echo_service(void)
{
	if (kept == NULL)
		echo_main(0, NULL);
	return kept;
}
