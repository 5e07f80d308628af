/* What the service counts: rows of the table in main.c. */
#ifndef PROXY_METRICS_H
#define PROXY_METRICS_H

enum proxy_metric { PROXY_UP, PROXY_DOWN, PROXY_OPEN, PROXY_FAILED, PROXY_REFUSED, PROXY_RESET };

#endif
