/* The address of a client, in words. */
#ifndef HUBBUB_WORKER_CLIENT_H
#define HUBBUB_WORKER_CLIENT_H

#include <netinet/in.h>
#include <sys/socket.h>

#define CLIENT_NAME_SIZE (INET6_ADDRSTRLEN + 9) /* "[...]:65535" with the NUL */

/* Writes "127.0.0.1:5000", "[::1]:5000" or "unix"; "?" if the family is another. Returns text. */
const char *client_name(const struct sockaddr_storage *address, char text[static CLIENT_NAME_SIZE]);

#endif
