/* The histogram in HdrHistogram's two exchange formats, which its plotters and libraries read. */
#ifndef HUBBUB_LOAD_HDR_H
#define HUBBUB_LOAD_HDR_H

#include <stdbool.h>
#include <stdio.h>

#include "tests/load/count/histogram.h"

/* The compressed V2 encoding in base64, in nanoseconds. Lossless. The caller frees it; NULL if
 * there is no memory. */
char *hdr_encode(const struct histogram *histogram);

/* The other way. min and max become those of the buckets. Returns false if text is not such an
 * encoding, with three significant digits. */
bool hdr_decode(const char *text, struct histogram *histogram);

/* A percentile spectrum (.hgrm) in milliseconds. Returns false on an error of the stream. */
bool hdr_write_spectrum(FILE *stream, const struct histogram *histogram);

#endif
