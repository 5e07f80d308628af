/* A self-signed certificate that is its own authority: a client that trusts the file trusts the
 * server. */
#include "tests/support/certificate.h"

#include <stdio.h>
#include <stdlib.h>

bool
certificate_place(struct certificate *certificate)
{
	if (certificate->folder[0] == '\0' && !folder_make(certificate->folder))
		return false;
	snprintf(certificate->file, sizeof certificate->file, "%s/cert.pem", certificate->folder);
	snprintf(certificate->key, sizeof certificate->key, "%s/key.pem", certificate->folder);
	snprintf(certificate->cert_option, sizeof certificate->cert_option, "--tls-cert=%s",
		certificate->file);
	snprintf(certificate->key_option, sizeof certificate->key_option, "--tls-key=%s",
		certificate->key);
	snprintf(certificate->ca_option, sizeof certificate->ca_option, "--tls-ca=%s",
		certificate->file);
	return true;
}

bool
certificate_make(struct certificate *certificate)
{
	char command[512];

	if (!certificate_place(certificate))
		return false;
	snprintf(command, sizeof command,
		"openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
		"-subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 "
		"-keyout %s -out %s 2>/dev/null",
		certificate->key, certificate->file);
	return system(command) == 0;
}

void
certificate_clean(struct certificate *certificate)
{
	folder_remove(certificate->folder);
	certificate->folder[0] = '\0';
}
