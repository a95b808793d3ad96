/* What libcurl calls while a transfer goes on: callbacks that touch C buffers only. Inside
 * csrc/http only. */
#ifndef SC3_TRANSFER_CALLBACKS_H
#define SC3_TRANSFER_CALLBACKS_H

#include "transfer.h"

/* Sets the callbacks that each transfer has. */
CURLcode sc3_transfer_set_callbacks(sc3_transfer *t);

/* Sets those that send a body piece by piece, and watch it go. */
CURLcode sc3_transfer_set_body_callbacks(sc3_transfer *t);

/* Whether all of a final reply is there, as far as it says how long it is. */
int sc3_transfer_is_complete(const sc3_transfer *t);

/* The status at the beginning of a text: three digits, else 0. */
int sc3_read_status(const char *p, size_t n);

#endif
