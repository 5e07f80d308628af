/* <hubbub/hub.h>: coroutines for one thread. This header only gathers the public ones. */
#ifndef HUBBUB_HUB_H
#define HUBBUB_HUB_H

#include "coroutine.h"
#include "debug/dump.h"
#include "debug/hooks.h"
#include "defer.h"
#include "failure.h"
#include "generator.h"
#include "io/fd.h"
#include "io/poll.h"
#include "io/socket.h"
#include "link.h"
#include "scheduler.h"
#include "switch.h"
#include "sync/channel.h"
#include "sync/event.h"
#include "sync/local.h"
#include "sync/lock.h"
#include "sync/nursery.h"
#include "sync/pool.h"
#include "sync/queue.h"
#include "sync/result.h"
#include "sync/select.h"
#include "sync/semaphore.h"
#include "thread/mailbox.h"
#include "timeout.h"

#endif
