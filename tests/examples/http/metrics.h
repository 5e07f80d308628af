/* What the service counts: rows of the table in main.c. */
#ifndef HTTP_METRICS_H
#define HTTP_METRICS_H

enum http_metric { HTTP_REFUSED, HTTP_LATE };

#endif
