/* The options that libcurl gets for a request. Inside csrc/http only. */
#ifndef SC3_TRANSFER_SETUP_H
#define SC3_TRANSFER_SETUP_H

#include "transfer.h"

/* Sets everything for a request, over HTTP/1.1 where `http1` says so. 0, or -1 with `*why`. */
int sc3_transfer_prepare(sc3_transfer *t, const sc3_engine_options *o, const sc3_request *r,
                         int http1, const char **why);

#endif
