/* The histogram in HdrHistogram's two exchange formats, which its plotters and libraries read: the
 * compressed V2 encoding, and the percentile spectrum. */
#ifndef HUBBUB_LOAD_HDR_H
#define HUBBUB_LOAD_HDR_H

#include <stdbool.h>
#include <stdio.h>

#include "tests/load/count/histogram.h"

/* The compressed V2 encoding in base64, with values in nanoseconds; no count is lost. The caller
 * frees it. Returns NULL if there is no memory. */
char *hdr_encode(const struct histogram *histogram);

/* Reads what hdr_encode wrote. min and max become the bounds of the lowest and highest bucket in
 * use. Returns false if text is not a V2 encoding with three significant digits. */
bool hdr_decode(const char *text, struct histogram *histogram);

/* Writes a percentile spectrum (.hgrm) in milliseconds. Returns false if the stream failed. */
bool hdr_write_spectrum(FILE *stream, const struct histogram *histogram);

#endif
