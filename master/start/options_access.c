/* A file is named by a path with a '/', so that a misspelt word does not make one. */
#include "master/start/options_access.h"

#include <errno.h>
#include <string.h>

#include "master/say/accesslog.h"

void
options_open_access(struct options *options, struct table *table)
{
	const char *text = options->access_log;
	int file;

	if (text == NULL || strcmp(text, "off") == 0)
		return;
	options->worker.has_access_log = true;
	if (strcmp(text, "on") == 0)
		return;
	if (strchr(text, '/') == NULL) {
		table_complain_of(table, "access-log",
			"'%s' is neither on, off, nor a path; write ./%s for a file", text, text);
		return;
	}
	file = accesslog_open(text);
	if (file == -1)
		table_complain_of(table, "access-log", "cannot open '%s': %s%s", text,
			strerror(errno), errno == ENXIO ? " (does nobody read it?)" : "");
	else
		options->worker.access_file = file;
}
