/* <hubbub/command.h>: commands of a service's own, for its operators.
 *
 *	static const char *
 *	count_keys(struct hub_stream *output, char **arguments, void *context)
 *	{
 *		if (arguments[0] == NULL)
 *			return hubbub_bad_usage("keys takes a PREFIX");
 *		hub_stream_printf(output, "%zu\n", store_count(context, arguments[0]));
 *		return NULL;
 *	}
 *
 *	static const struct hubbub_command commands[] = {
 *		{.name = "keys", .help = "PREFIX: print how many keys begin so",
 *			.run = count_keys, .page = "text/plain; charset=utf-8"},
 *		{0}};
 *
 *	.commands = commands
 *
 * Then an operator, and, because the command is a page, too, a program can ask:
 *
 *	hubbub-ctl keys user:
 *	curl 'http://127.0.0.1:9091/keys?user:'
 *
 * hubbub-ctl help lists these commands. Whoever may operate the server may run them; whoever
 * reaches the admin address may read the pages.
 *
 * A command runs in a worker of the newest generation, in its first hub. It has 4 seconds: then its
 * blocking calls fail with ETIMEDOUT. They fail with ECANCELED when its worker closes its last
 * connections; a worker that drains waits for the commands that it runs. After 5 seconds, or if the
 * worker dies, the master tells the operator so, whatever the command does. A command is never run
 * again in another worker; one that runs in each worker has these times in each. */
#ifndef HUBBUB_WORKER_COMMAND_H
#define HUBBUB_WORKER_COMMAND_H

#include <hubbub/api.h>
#include <stdbool.h>

HUBBUB_API_BEGIN

struct hub_stream;

/* The body of a command: writes its output to a stream over memory (<hubbub/io/stream.h>), of which
 * 1 MiB can be sent, for a command of each worker from all of them together: writing more fails
 * with EMSGSIZE, and so does the command, whatever it returns. arguments are ended by NULL; they
 * may have any bytes but NUL, and be written to. Several may run at the same time.
 * Returns NULL if it has succeeded, or why it failed, as a hook does (hubbub_why; for arguments
 * that are none of the command's, hubbub_bad_usage). What it has written is shown in either case,
 * but not by a page.
 * Switches: it may. */
typedef const char *hubbub_command_run(struct hub_stream *output, char **arguments, void *context);

/* Formats the text that a command returns whose arguments it refuses: hubbub-ctl then ends with
 * exit code 2, and the page with code 400, where another failure is 1 and 500. A long text is cut.
 * Switches: no.  Ownership: the library's; valid until this thread's next call. */
const char *hubbub_bad_usage(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A command: a row of the service's table, which a row without a name ends. */
struct hubbub_command {
	/* 1 to 32 lower-case letters, digits, '.', '-' and '_', beginning with a letter. A name
	 * that hubbub-ctl or the admin address knows already is refused at the start. */
	const char *name;
	const char *help; /* of one line: "PREFIX: print how many keys begin so" */
	hubbub_command_run *run;
	/* If not NULL, the command is also the page /NAME of the admin address, with this content
	 * type. The page's arguments are those of its URL: /keys?user:&limit=5 runs the command
	 * with "user:" and "limit=5". Let a page only read: browsers ask for pages again. */
	const char *page;
	/* Runs in each worker, one after the other; their output follows each other. The first
	 * failure is the end, also that of a worker to answer. Workers that are not up, because
	 * they start or have just died, are not waited for: when all others have run it, the
	 * command fails, and names them. */
	bool in_each_worker;
	void *room[4]; /* for later versions: NULL */
};

HUBBUB_API_END

#endif
