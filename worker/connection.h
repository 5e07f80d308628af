/* One connection: what the worker does before and after the service's function. */
#ifndef HUBBUB_WORKER_CONNECTION_H
#define HUBBUB_WORKER_CONNECTION_H

/* Serves a connection: reads the PROXY header and makes the TLS handshake that the heritage asks
 * for, runs the service's function, then ends the output and reads on for a moment. Without that
 * last step the kernel would reset a connection that is closed with unread bytes, and the peer
 * could lose an answer that it has not read yet. context is the acceptor; the descriptor stays the
 * caller's. Switches: yes. */
void connection_serve(int client, void *context);

#endif
