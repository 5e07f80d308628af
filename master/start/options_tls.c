/* TLS needs options that fit together: none is ignored, since an operator who gives one expects
 * clients to be verified or bytes to be encrypted by it. */
#include "master/start/options_tls.h"

#include "hub/io/tls.h"

#define complain(table, name, ...) table_complain_of(table, name, __VA_ARGS__)
#define named(table, name) table_named(table, name, (char[TABLE_NAMED_SIZE]){0})

/* Returns whether the options fit together. */
static bool
check(const struct options *options, struct table *table)
{
	bool asks = options->tls_client != TLS_CLIENT_OFF;

	if (options->tls_certificate != NULL && options->tls_key == NULL)
		complain(table, "tls-cert", "needs --tls-key");
	else if (options->tls_certificate == NULL && options->tls_key != NULL)
		complain(table, "tls-key", "needs --tls-cert");
	else if (options->worker.tls_on_unix && options->tls_certificate == NULL)
		complain(table, "tls-unix", "needs --tls-cert");
	else if (asks && options->tls_certificate == NULL)
		complain(table, "tls-client", "needs --tls-cert");
	else if (asks && options->tls_client_ca == NULL)
		complain(table, "tls-client", "needs --tls-client-ca");
	else if (!asks && options->tls_client_ca != NULL)
		complain(table, "tls-client-ca", "needs --tls-client=ask or require");
	return table->error[0] == '\0';
}

void
options_load_tls(struct options *options, struct table *table, const struct hubbub_service *service)
{
	struct hub_tls *tls;

	if (!check(options, table) || options->tls_certificate == NULL)
		return;
	tls = hub_tls_server_new(options->tls_certificate, options->tls_key);
	options->worker.tls = tls;
	if (tls == NULL)
		table_complain(table, "%s, %s: %s", named(table, "tls-cert"),
			named(table, "tls-key"), hub_tls_why());
	else if (options->tls_client != TLS_CLIENT_OFF &&
		 hub_tls_ask_clients(tls, options->tls_client_ca,
			 options->tls_client == TLS_CLIENT_REQUIRE) != 0)
		complain(table, "tls-client-ca", "%s", hub_tls_why());
	else if (service->protocols != NULL &&
		 hub_tls_set_protocols(tls, service->protocols, service->needs_protocol) != 0)
		complain(table, "tls-cert", "the service's protocols: %s", hub_tls_why());
}
