/* Words that people and programs put where they have no value. */
#ifndef SC3_PLACEHOLDER_H
#define SC3_PLACEHOLDER_H

#include "sha256.h"
#include "slice.h"

/* True for n/a, none, null, unknown and the like, and for noemail@ of any domain, in any case. */
int sc3_placeholder(sc3_slice trimmed);

/* True for the SHA-256 of such a word (lowercase hex digits), of the spellings that exports have. */
int sc3_placeholder_hash(const char hex[SC3_SHA256_HEX]);

#endif
