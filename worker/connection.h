/* One connection, around the service's function; and what ends connections from outside. */
#ifndef HUBBUB_WORKER_CONNECTION_H
#define HUBBUB_WORKER_CONNECTION_H

/* Runs the service for a client, after the PROXY header and the TLS handshake that the heritage
 * asks for; then, if the peer has not ended its side, ends this one and reads on for a moment,
 * because a socket that is closed with unread bytes is reset, and a reset can destroy what the
 * peer has not read yet. context is the acceptor. */
void connection_serve(int client, void *context);

/* Closes connections that wait for too long, by the heritage's timeouts: the body of a coroutine of
 * each hub; its argument is the thread. */
void *connection_run_timeouts(void *thread);

/* Closes connections while the hub drains: idle ones at the boundary of a message, spread over the
 * window; all, once THREAD_FINISH has come. The body of a coroutine; its argument is the thread. */
void *connection_run_drain(void *thread);

#endif
