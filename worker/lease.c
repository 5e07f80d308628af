/* The name's hash is the number of the locked byte: releases that have other background functions
 * need no table in common. */
#include "worker/lease.h"

#include <fcntl.h>

#include "hub/base/check.h"
#include "worker/rights.h"
#include "worker/segment.h"

static bool
lock(const char *name, short type)
{
	int file = segment_file();

	CHECK_WHY(file != -1, "without a segment there is nothing to lock");
	return rights_lock(file, type, rights_of_name(name), 1);
}

bool
lease_take(const char *name)
{
	return lock(name, F_WRLCK);
}

void
lease_return(const char *name)
{
	/* If the kernel refuses, the lease ends with the process. */
	lock(name, F_UNLCK);
}
