/* The record of a TLS configuration, shared by tls.c and resumption.c. */
#ifndef HUBBUB_IO_TLS_PRIV_H
#define HUBBUB_IO_TLS_PRIV_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

struct hub_tls {
	SSL_CTX *context;
	bool is_server;
	bool trusts_anybody;
	int64_t lifetime; /* nanoseconds; of session tickets whose keys are shared (resumption.h) */
};

#endif
