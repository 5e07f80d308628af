/* What the files of TLS share: the record of a configuration, and the way to a connection's SSL. */
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

/* OpenSSL's record of the connection; NULL if fd is not encrypted. */
const SSL *tls_ssl(int fd);

#endif
