/* Self-signed certificates for a test, made by openssl(1). */
#ifndef HUBBUB_TESTS_CERTIFICATE_H
#define HUBBUB_TESTS_CERTIFICATE_H

#include <stdbool.h>

#include "tests/support/folder.h"

struct certificate {
	char folder[FOLDER_SIZE];    /* the directory of both files; empty: not made yet */
	char file[FOLDER_SIZE + 16]; /* the certificate in PEM form, also the authority to trust */
	char key[FOLDER_SIZE + 16];  /* its private key in PEM form */
	/* As options of a server, and of hubbub-load: --tls-cert, --tls-key, --tls-ca. */
	char cert_option[FOLDER_SIZE + 32], key_option[FOLDER_SIZE + 32],
		ca_option[FOLDER_SIZE + 32];
};

/* Makes a certificate for localhost and 127.0.0.1, in a new directory, or again in the same one.
 * Returns whether it did. */
bool certificate_make(struct certificate *certificate);

/* Removes the directory with both files. */
void certificate_clean(struct certificate *certificate);

#endif
