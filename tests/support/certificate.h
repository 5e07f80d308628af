/* Certificates for one test, made by openssl(1). */
#ifndef HUBBUB_TESTS_CERTIFICATE_H
#define HUBBUB_TESTS_CERTIFICATE_H

#include <stdbool.h>

#include "tests/support/folder.h"

struct certificate {
	char folder[FOLDER_SIZE];
	char file[FOLDER_SIZE + 16]; /* PEM; who trusts it trusts its bearer */
	char key[FOLDER_SIZE + 16];
};

/* Makes one for localhost and 127.0.0.1 in a folder of its own, or anew in the same. Returns
 * whether it did. */
bool certificate_make(struct certificate *certificate);

void certificate_clean(struct certificate *certificate);

#endif
