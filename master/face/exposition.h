/* Prometheus's text format: what introduces a metric, and the lines of a histogram. Nearly all of
 * the text is lines of hubs, a hundred thousand of a large server, so they are put together without
 * printf. */
#ifndef HUBBUB_FACE_EXPOSITION_H
#define HUBBUB_FACE_EXPOSITION_H

#include <stdint.h>
#include <stdio.h>

#include "worker/buckets.h"
#include "worker/catalog.h"

#define EXPOSITION_LABELS_SIZE 48
#define EXPOSITION_BOUNDS_MAX 43 /* powers of two up to BUCKETS_VALUE_MAX */

/* The bounds of a metric's histograms, which all hubs share. */
struct exposition_bounds {
	double unit;
	unsigned count;
	struct exposition_bound {
		unsigned bucket; /* the last one below the bound */
		char text[32];   /* what stands behind le=" */
	} list[EXPOSITION_BOUNDS_MAX];
};

/* Writes the lines that introduce a metric. */
void exposition_introduce(
	FILE *stream, const char *prefix, const char *name, const char *type, const char *help);

/* Prometheus's word for what a metric is. */
const char *exposition_type(const struct catalog_entry *metric);

/* Writes into labels what names a hub. */
void exposition_label(char labels[static EXPOSITION_LABELS_SIZE], unsigned worker, unsigned hub);

/* Writes one value of a hub, as "%.15g" does; kind is the value of a further label, or NULL. */
void exposition_value(
	FILE *stream, const char *name, const char *labels, const char *kind, double value);

/* The bounds of which each hub tells: powers of two from 1 us to 69 s, or from 1 to 1 Gi of what is
 * no time. They never change, or the buckets of hubs and times could not be compared. */
void exposition_bound(struct exposition_bounds *bounds, const struct catalog_entry *metric);

/* Writes a hub's histogram. */
void exposition_histogram(FILE *stream, const char *name, const char *labels,
	const struct exposition_bounds *bounds, const struct buckets *buckets);

#endif
