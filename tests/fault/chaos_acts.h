/* What the actors of chaos do. Each act is given the number of an object of the world, and returns
 * whether it succeeded; if not, it has complained unless it was interrupted. */
#ifndef HUBBUB_TESTS_CHAOS_ACTS_H
#define HUBBUB_TESTS_CHAOS_ACTS_H

#include <hubbub/hub.h>

typedef bool act_fn(unsigned object);

act_fn do_sleep, do_event, do_semaphore, do_lock, do_notify, do_put, do_get, do_channel_put,
	do_channel_get, do_select, do_receive, do_send, do_poll, do_close, do_secure_open,
	do_secure_close, do_secure_send, do_secure_receive, do_result, do_inherit, do_kill, do_join,
	do_wait_ended, do_wait_detached, do_nursery, do_pool, do_shield, do_offload, do_shared,
	do_generator, do_defer;

/* Of all connections over TLS; set before the first round. */
extern struct hub_tls *tls_client, *tls_server;

#endif
