/* Certificates for a test: self-signed ones, made by openssl(1), and those that they have
 * issued. */
#ifndef HUBBUB_TESTS_CERTIFICATE_H
#define HUBBUB_TESTS_CERTIFICATE_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/support/folder.h"

struct certificate {
	char folder[FOLDER_SIZE];    /* the directory of both files; empty: not made yet */
	char file[FOLDER_SIZE + 16]; /* the certificate in PEM form, also the authority to trust */
	char key[FOLDER_SIZE + 16];  /* its private key in PEM form */
	/* As options of a server and of hubbub-load, --tls-cert and --tls-key, and of hubbub-load
	 * alone, --tls-ca. */
	char cert_option[FOLDER_SIZE + 32], key_option[FOLDER_SIZE + 32],
		ca_option[FOLDER_SIZE + 32];
};

/* Makes a certificate for localhost and 127.0.0.1, in a new directory, or again in the same one.
 * Returns whether it did. */
bool certificate_make(struct certificate *certificate);

/* Makes the directory, if there is none, and the paths and options in it. Returns whether it
 * did. */
bool certificate_place(struct certificate *certificate);

/* Makes a certificate for whoever has this common name, length bytes of any kind, issued by another
 * certificate and good for so many seconds. Returns whether it did. In a file of its own
 * (issued.c), since it needs OpenSSL. */
bool certificate_issue(struct certificate *certificate, const struct certificate *issuer,
	const char *name, size_t length, long seconds);

/* Removes the directory with both files. */
void certificate_clean(struct certificate *certificate);

#endif
