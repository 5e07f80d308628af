/* libpq: each connects, and asks for something that takes 0.2 s. */
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

#include "tests/patch/crowd.h"

static bool
ask(int port, int index)
{
	char where[160], query[80], expected[16];
	PGconn *connection;
	PGresult *result;
	bool is_right;

	snprintf(where, sizeof where,
		"host=127.0.0.1 port=%d dbname=postgres user=postgres sslmode=disable "
		"gssencmode=disable",
		port);
	connection = PQconnectdb(where);
	if (PQstatus(connection) != CONNECTION_OK) {
		fprintf(stderr, "%d: %s", index, PQerrorMessage(connection));
		PQfinish(connection);
		return false;
	}
	snprintf(query, sizeof query, "select pg_sleep(0.2), %d", index);
	snprintf(expected, sizeof expected, "%d", index);
	result = PQexec(connection, query);
	is_right = PQresultStatus(result) == PGRES_TUPLES_OK &&
		   strcmp(PQgetvalue(result, 0, 1), expected) == 0;
	if (!is_right)
		fprintf(stderr, "%d: %s", index, PQerrorMessage(connection));
	PQclear(result);
	PQfinish(connection);
	return is_right;
}

int
main(int argc, char **argv)
{
	return crowd_main(argc, argv, ask);
}
