/* libmariadb: each connects, and asks for something that takes 0.2 s. */
#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/patch/crowd.h"

static bool
ask(int port, int index)
{
	MYSQL *connection = mysql_init(NULL);
	char query[80];
	MYSQL_RES *result = NULL;
	MYSQL_ROW row;
	bool is_right = false;

	snprintf(query, sizeof query, "select sleep(0.2), %d", index);
	if (mysql_real_connect(
		    connection, "127.0.0.1", "root", "", NULL, (unsigned)port, NULL, 0) != NULL &&
		mysql_query(connection, query) == 0 &&
		(result = mysql_store_result(connection)) != NULL &&
		(row = mysql_fetch_row(result)) != NULL)
		is_right = atoi(row[0]) == 0 && atoi(row[1]) == index;
	if (!is_right)
		fprintf(stderr, "%d: %s\n", index, mysql_error(connection));
	if (result != NULL)
		mysql_free_result(result);
	mysql_close(connection);
	return is_right;
}

int
main(int argc, char **argv)
{
	int code;

	mysql_library_init(0, NULL, NULL);
	code = crowd_main(argc, argv, ask);
	mysql_library_end();
	return code;
}
