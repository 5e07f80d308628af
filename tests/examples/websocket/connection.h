/* One client. */
#ifndef WEBSOCKET_CONNECTION_H
#define WEBSOCKET_CONNECTION_H

struct chat;

/* Serves a connection to its end. Switches: yes. */
void connection_serve(int client, struct chat *chat);

#endif
