/* hiredis: each waits 0.2 s for an item of a list that gets none, then sets and gets a value of its
 * own. */
#include <hiredis.h>
#include <stdio.h>
#include <string.h>

#include "tests/patch/crowd.h"

static bool
ask(int port, int index)
{
	redisContext *context = redisConnect("127.0.0.1", port);
	redisReply *reply;
	bool is_right;

	if (context == NULL || context->err != 0) {
		fprintf(stderr, "%d: %s\n", index, context != NULL ? context->errstr : "no memory");
		if (context != NULL)
			redisFree(context);
		return false;
	}
	reply = redisCommand(context, "BLPOP none:%d 0.2", index);
	is_right = reply != NULL && reply->type == REDIS_REPLY_NIL;
	freeReplyObject(reply);
	reply = redisCommand(context, "SET key:%d value:%d", index, index);
	is_right &= reply != NULL && reply->type == REDIS_REPLY_STATUS;
	freeReplyObject(reply);
	reply = redisCommand(context, "STRLEN key:%d", index);
	is_right &= reply != NULL && reply->type == REDIS_REPLY_INTEGER && reply->integer >= 7;
	freeReplyObject(reply);
	if (!is_right)
		fprintf(stderr, "%d: %s\n", index, context->errstr);
	redisFree(context);
	return is_right;
}

int
main(int argc, char **argv)
{
	return crowd_main(argc, argv, ask);
}
