/* A blocking client on loopback, with ten seconds for everything; more with a sanitizer. */
#ifndef HUBBUB_TESTS_CLIENT_H
#define HUBBUB_TESTS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

/* Each returns a connected socket, or -1: of TCP, of datagrams, of a path. */
int client_connect(int port);
int client_connect_udp(int port);
int client_connect_path(const char *path);

/* Sends text and receives exactly as much as expected is long. Returns whether it is that. */
bool client_exchange(int fd, const char *text, const char *expected);

/* The same, of a connection that it closes; false if there is none (-1). */
bool client_is_answered(int fd, const char *text, const char *expected);

/* Returns whether the server closes the connection, in order, without sending anything more. */
bool client_sees_end(int fd);

/* Closes with a reset instead of a FIN. */
void client_reset(int fd);

#endif
