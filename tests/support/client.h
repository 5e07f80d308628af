/* A blocking client on loopback. Each call fails after a minute, more with a sanitizer. */
#ifndef HUBBUB_TESTS_CLIENT_H
#define HUBBUB_TESTS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>

/* Connect by TCP, by UDP, or to a Unix socket at path. Each returns the file descriptor of a
 * connected socket, which the caller closes, or -1. */
int client_connect(int port);
int client_connect_udp(int port);
int client_connect_path(const char *path);

/* Sends text, and receives as many bytes as expected has. Returns whether they are equal to
 * expected. */
bool client_exchange(int fd, const char *text, const char *expected);

/* As client_exchange, and closes fd afterwards. Returns false if fd is -1. */
bool client_is_answered(int fd, const char *text, const char *expected);

/* Returns whether the server closes the connection gracefully, without sending anything before. */
bool client_sees_end(int fd);

/* Closes with a reset instead of a FIN. */
void client_reset(int fd);

#endif
