/* What is known of a transfer when it has ended. Inside csrc/http only. */
#ifndef SC3_TRANSFER_CONCLUDE_H
#define SC3_TRANSFER_CONCLUDE_H

#include "transfer.h"

/* Writes down how it ended. `multiplexed`: its connection was one of HTTP/2 for certain. */
void sc3_transfer_conclude(sc3_transfer *t, CURLcode code, int multiplexed);

/* The same for an end that libcurl does not know of. */
void sc3_transfer_fail(sc3_transfer *t, const char *code, const char *message);

#endif
