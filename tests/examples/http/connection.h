/* One client. */
#ifndef HTTP_CONNECTION_H
#define HTTP_CONNECTION_H

struct limits;

/* Serves a connection to its end, with the files below the directory root; -1: none. Switches:
 * yes. */
void connection_serve(int client, int root, const struct limits *limits);

#endif
