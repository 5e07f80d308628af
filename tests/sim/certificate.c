/* The certificates of the world: made once, so that each run has the same, and valid from 2020 to
 * 2120, since the world's clock begins where it does, whatever day it is. */
#include "tests/support/certificate.h"

#include <stdio.h>
#include <unistd.h>

/* One file has both the certificate and its key. */
bool
certificate_make(struct certificate *certificate)
{
	if (!folder_make(certificate->folder))
		return false;
	snprintf(certificate->file, sizeof certificate->file, "%s/both.pem", certificate->folder);
	snprintf(certificate->key, sizeof certificate->key, "%s/both.pem", certificate->folder);
	return symlink(HUBBUB_SOURCE_DIR "/tests/sim/ed25519.pem", certificate->file) == 0;
}

void
certificate_clean(struct certificate *certificate)
{
	folder_remove(certificate->folder);
	certificate->folder[0] = '\0';
}
