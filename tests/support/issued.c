/* Issues certificates by OpenSSL's library: openssl(1) writes no name with a NUL in it, and no
 * certificate for a few seconds. */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>

#include "tests/support/certificate.h"

#define BEFORE (-60) /* seconds; clocks may differ */

static X509 *
read_certificate(const char *path)
{
	FILE *file = fopen(path, "r");
	X509 *certificate = file != NULL ? PEM_read_X509(file, NULL, NULL, NULL) : NULL;

	if (file != NULL)
		fclose(file);
	return certificate;
}

static EVP_PKEY *
read_key(const char *path)
{
	FILE *file = fopen(path, "r");
	EVP_PKEY *key = file != NULL ? PEM_read_PrivateKey(file, NULL, NULL, NULL) : NULL;

	if (file != NULL)
		fclose(file);
	return key;
}

/* Whether the certificate and its key are in their files. */
static bool
write_both(const struct certificate *certificate, X509 *x509, EVP_PKEY *key)
{
	FILE *file = fopen(certificate->file, "w"), *secret = fopen(certificate->key, "w");
	bool is_written = file != NULL && secret != NULL && PEM_write_X509(file, x509) == 1 &&
			  PEM_write_PrivateKey(secret, key, NULL, NULL, 0, NULL, NULL) == 1;

	if (file != NULL)
		is_written = fclose(file) == 0 && is_written;
	if (secret != NULL)
		is_written = fclose(secret) == 0 && is_written;
	return is_written;
}

/* Fills in all but the signature. Returns whether it did. */
static bool
fill(X509 *x509, const X509 *issuer, EVP_PKEY *key, const char *name, size_t length, long seconds)
{
	static long serial = 1;

	return X509_set_version(x509, 2) == 1 &&
	       ASN1_INTEGER_set(X509_get_serialNumber(x509), ++serial) == 1 &&
	       X509_gmtime_adj(X509_getm_notBefore(x509), BEFORE) != NULL &&
	       X509_gmtime_adj(X509_getm_notAfter(x509), seconds) != NULL &&
	       X509_NAME_add_entry_by_txt(X509_get_subject_name(x509), "CN", V_ASN1_UTF8STRING,
		       (const unsigned char *)name, (int)length, -1, 0) == 1 &&
	       X509_set_issuer_name(x509, X509_get_subject_name(issuer)) == 1 &&
	       X509_set_pubkey(x509, key) == 1;
}

bool
certificate_issue(struct certificate *certificate, const struct certificate *issuer,
	const char *name, size_t length, long seconds)
{
	X509 *x509 = X509_new(), *authority = read_certificate(issuer->file);
	EVP_PKEY *key = EVP_EC_gen("P-256"), *signer = read_key(issuer->key);
	bool is_made = x509 != NULL && authority != NULL && key != NULL && signer != NULL &&
		       fill(x509, authority, key, name, length, seconds) &&
		       X509_sign(x509, signer, EVP_sha256()) > 0 &&
		       certificate_place(certificate) && write_both(certificate, x509, key);

	X509_free(x509);
	X509_free(authority);
	EVP_PKEY_free(key);
	EVP_PKEY_free(signer);
	return is_made;
}
