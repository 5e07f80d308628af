/* The table of all counters that hubs and masters keep. A row gives the counter its field in shared
 * memory (segment.h), its sum over dead processes, its passage through an upgrade (layout.h), its
 * lines in /metrics and its numbers in the state as JSON. A new counter is one row here, and a
 * counters_add where it happens.
 *
 *	WRITER(field, kind, unit, metric, label, help, total, in_hubs)
 *
 *	WRITER   SERVER: the masters, and each process's log; one counter for the whole server
 *	         HUB: hub/, one for each hub; the field is that of struct hub_counters
 *	         WORKER: worker/, one for each hub
 *	field    its name in C, by which another program finds it after an upgrade
 *	kind     COUNTER: only grows, and is added up over all processes, living and dead
 *	         PEAK: a gauge, whose sum is the largest value of the living processes
 *	         HISTOGRAM: each value that is recorded counts in its bucket (buckets.h)
 *	unit     how much of the count is one of the metric's unit
 *	metric   its name in /metrics, after hubbub_; catalog.c has the former names
 *	label    the value of the metric's label "kind", or NULL; rows of one metric are adjacent
 *	help     the metric's help text; NULL where the row before has it
 *	total    its name among the state's totals, or NULL; rows of one name are added up
 *	in_hubs  whether the state also has it for each hub, under the metric's name
 *
 * Histograms are the last rows: counters_total leaves them out. Behind the rows come the metrics of
 * the service, which catalog_add_service adds at the start. */
#ifndef HUBBUB_WORKER_COUNTED_H
#define HUBBUB_WORKER_COUNTED_H

/* clang-format off */
#define COUNTED(SERVER, HUB, WORKER) \
	SERVER(respawns, COUNTER, 1, "respawns_total", NULL, \
		"Workers that were replaced.", "respawns", false) \
	SERVER(lost, COUNTER, 1, "connections_lost_total", NULL, \
		"Connections that died with their worker.", "lost", false) \
	SERVER(hangs, COUNTER, 1, "hangs_total", NULL, \
		"Hubs that gave no sign of life.", "hangs", false) \
	SERVER(starved, COUNTER, 1000000000, "starved_seconds_total", NULL, \
		"Time in which hubs gave no sign of life because they waited for a CPU.", \
		NULL, false) \
	SERVER(reloads, COUNTER, 1, "reloads_total", NULL, \
		"Generations that took over by a reload.", "reloads", false) \
	SERVER(upgrades, COUNTER, 1, "upgrades_total", NULL, \
		"Masters that took over by an upgrade.", "upgrades", false) \
	SERVER(log_lost, COUNTER, 1, "log_lines_lost_total", NULL, \
		"Log lines that could not be written: nobody read them, or there was no room.", \
		"log_lost", false) \
	SERVER(log_limited, COUNTER, 1, "log_lines_limited_total", NULL, \
		"Log lines of the service that were left out: more than ten a second from one " \
		"place of the program.", \
		"log_limited", false) \
	WORKER(accepted, COUNTER, 1, "accepts_total", NULL, \
		"Connections accepted from the hub's listeners.", "accepts", true) \
	WORKER(opened, COUNTER, 1, "connections_opened_total", NULL, \
		"Connections that the hub began to serve.", NULL, false) \
	WORKER(closed, COUNTER, 1, "connections_closed_total", NULL, \
		"Connections that have ended.", "closed", false) \
	WORKER(handed, COUNTER, 1, "handed_off_total", NULL, \
		"Accepted connections that another hub of the worker serves.", "handed", true) \
	HUB(bytes_received, COUNTER, 1, "received_bytes_total", NULL, \
		"Bytes received.", "received_bytes", true) \
	HUB(bytes_sent, COUNTER, 1, "sent_bytes_total", NULL, \
		"Bytes sent.", "sent_bytes", true) \
	HUB(busy, COUNTER, 1000000000, "busy_seconds_total", NULL, \
		"Time in which the hub did not wait.", NULL, false) \
	HUB(polls, COUNTER, 1, "loop_polls_total", NULL, \
		"Times that the hub looked for events.", NULL, false) \
	WORKER(lag, PEAK, 1000000000, "loop_lag_seconds", NULL, \
		"How late the hub's pulse has been lately, at most.", NULL, false) \
	WORKER(late, COUNTER, 1, "stalls_total", NULL, \
		"Times that the hub did not switch for 100 ms.", NULL, true) \
	WORKER(datagrams, COUNTER, 1, "datagrams_total", NULL, \
		"Datagrams received.", "datagrams", false) \
	WORKER(replies, COUNTER, 1, "replies_total", NULL, \
		"Datagrams sent in answer.", "replies", false) \
	WORKER(replies_failed, COUNTER, 1, "replies_failed_total", NULL, \
		"Answers to datagrams that could not be sent.", NULL, false) \
	WORKER(unanswered, COUNTER, 1, "unanswered_total", NULL, \
		"Datagrams not answered: too many that sent an answer back.", "unanswered", false) \
	WORKER(accept_limited, COUNTER, 1, "accept_errors_total", "limit", \
		"Accepts that failed: for lack of files (one a second while clients wait), " \
		"buffers or memory, or because the client had gone.", \
		"accept_errors_limit", false) \
	WORKER(accept_aborted, COUNTER, 1, "accept_errors_total", "aborted", \
		NULL, "accept_errors_aborted", false) \
	WORKER(dismissed, COUNTER, 1, "dismissed_total", NULL, \
		"Clients that still waited to be accepted when the server ended.", \
		"dismissed", false) \
	WORKER(refused_sender, COUNTER, 1, "refused_total", "sender", \
		"Connections not served: the sender may not send PROXY headers, its header was " \
		"wrong or late, its TLS handshake failed, its address has too many, or there was " \
		"no memory.", \
		"refused", false) \
	WORKER(refused_header, COUNTER, 1, "refused_total", "header", \
		NULL, "refused", false) \
	WORKER(refused_tls, COUNTER, 1, "refused_total", "tls", \
		NULL, "refused", false) \
	WORKER(refused_peer, COUNTER, 1, "refused_total", "peer", \
		NULL, "refused", false) \
	WORKER(refused_memory, COUNTER, 1, "refused_total", "memory", \
		NULL, "refused", false) \
	WORKER(uncounted, COUNTER, 1, "uncounted_total", NULL, \
		"Connections served beside the limits per peer, for want of room to count them.", \
		NULL, false) \
	WORKER(left_early, COUNTER, 1, "left_early_total", NULL, \
		"Connections whose peer left before its PROXY header or TLS handshake was whole, " \
		"as health checks do.", "left_early", false) \
	WORKER(idle_closed, COUNTER, 1, "timeouts_total", "idle", \
		"Connections closed by the idle, the request and the write timeout.", \
		"idle_closed", false) \
	WORKER(request_closed, COUNTER, 1, "timeouts_total", "request", \
		NULL, "request_closed", false) \
	WORKER(write_closed, COUNTER, 1, "timeouts_total", "write", \
		NULL, "write_closed", false) \
	WORKER(requests, HISTOGRAM, 1000000000, "request_duration_seconds", NULL, \
		"How long requests took, from hubbub_busy to hubbub_idle.", \
		"request_duration_seconds", true)
/* clang-format on */

/* The rows by number. */
#define COUNTED_NUMBER(field, ...) COUNTED_##field,
enum counted_number {
	COUNTED(COUNTED_NUMBER, COUNTED_NUMBER, COUNTED_NUMBER) COUNTED_MAX,
	COUNTED_SINGLE_MAX = COUNTED_requests /* the rows below it are one number each */
};
#undef COUNTED_NUMBER

#endif
