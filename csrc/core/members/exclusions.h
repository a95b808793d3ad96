/* Who is never sent: external ids, and SHA-256 of emails and phones, as fingerprints of about nine
   bytes each. Two that share one are taken for one: of ten million people beside a million entries
   somebody is left out by mistake in 1 of 7,000 jobs. */
#ifndef SC3_EXCLUSIONS_H
#define SC3_EXCLUSIONS_H

#include "member.h"

typedef struct sc3_exclusions sc3_exclusions;

/* Nobody, held once; at most `most` ids and as many contacts. NULL when memory is out. */
sc3_exclusions *sc3_exclusions_new(size_t most);

/* One more who uses it, and one less: the last one frees it. NULL does nothing. */
void sc3_exclusions_hold(sc3_exclusions *e);
void sc3_exclusions_release(sc3_exclusions *e);

/* An id as it is sent, in valid UTF-8. SC3_ELIMIT where there are too many. */
sc3_status sc3_exclusions_add_id(sc3_exclusions *e, sc3_slice id);
sc3_status sc3_exclusions_add_contact(sc3_exclusions *e, const char hex[SC3_SHA256_HEX]);

/* Whether there are any hashes of emails and phones: then members are to be written whole. */
int sc3_exclusions_has_contacts(const sc3_exclusions *e);

/* Whether a member is excluded: its JSON, in which no hash is missing, and how it was written. */
int sc3_exclusions_match(const sc3_exclusions *e, const char *json, const sc3_outcome *outcome);

#endif
