/* One entry of a list of people who are never sent: an id, an email, a phone, or the SHA-256 of one
   of these. */
#ifndef SC3_EXCLUSION_H
#define SC3_EXCLUSION_H

#include "external_id.h"

typedef enum sc3_exclusion_kind {
  SC3_EXCLUDES_ID,
  SC3_EXCLUDES_EMAIL,
  SC3_EXCLUDES_PHONE,
  SC3_EXCLUDES_HASH, /* nobody knows of what: it is taken for all three */
  SC3_EXCLUSION_KINDS
} sc3_exclusion_kind;

typedef struct sc3_exclusion {
  sc3_exclusion_kind kind;
  int has_id, has_contact;
  sc3_external_id_form id;  /* as it is sent */
  char hex[SC3_SHA256_HEX]; /* of the email or the phone */
} sc3_exclusion;

/* Reads a value that is not blank. What has an @ must be an email, what begins with a + a phone,
   and what looks like a phone in national form one of the reading's region: whoever mistyped an
   address would be sent, were it taken for an id. SC3_R_NONE on success, else why it is none of
   all. Which id is meant is decided as for rows, so an email is an id, too, where ids may be
   emails. */
sc3_reason sc3_exclusion_read(sc3_slice raw, sc3_reading *reading, sc3_exclusion *out);

#endif
