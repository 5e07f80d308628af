/* What the service counts: rows of the table in main.c. */
#ifndef KV_METRICS_H
#define KV_METRICS_H

enum kv_metric { KV_GROUP, KV_EXPIRED, KV_REFUSED };

#endif
