/* One connection, around the service's function. */
#ifndef HUBBUB_WORKER_CONNECTION_H
#define HUBBUB_WORKER_CONNECTION_H

/* Runs the service for a client, after the PROXY header and the TLS handshake that the heritage
 * asks for; then, if the peer has not ended its side, ends this one and reads on for a moment,
 * because a socket that is closed with unread bytes is reset, and a reset can destroy what the
 * peer has not read yet. context is the acceptor. */
void connection_serve(int client, void *context);

#endif
