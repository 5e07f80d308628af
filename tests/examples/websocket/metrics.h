/* What the service counts: rows of the table in main.c. */
#ifndef WEBSOCKET_METRICS_H
#define WEBSOCKET_METRICS_H

enum websocket_metric {
	WEBSOCKET_CLIENTS,
	WEBSOCKET_MESSAGES,
	WEBSOCKET_SLOW,
	WEBSOCKET_SILENT,
	WEBSOCKET_REDIS,
	WEBSOCKET_UNPUBLISHED
};

#endif
