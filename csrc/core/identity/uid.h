/* Universal IDs (docs/contract.md section 7): carried as they are, never hashed, never case-folded.
 */
#ifndef SC3_UID_H
#define SC3_UID_H

#include "pii.h"
#include "reason.h"
#include "../bytes/slice.h"

typedef struct sc3_uid {
  unsigned column; /* of the source, where one is known; else 0 */
  sc3_slice type;
  sc3_slice value;
  sc3_pii meant; /* what the value is known to be whatever its form, see sc3_values */
} sc3_uid;

/* A uid as it is sent. */
typedef struct sc3_uid_form {
  sc3_slice type, value; /* of the uid, of a static string, or of `text` */
  sc3_repairs repairs;
  char text[64];
} sc3_uid_form;

/* Reads a uid into `*form`; SC3_R_NONE when it can be sent. Type and value must not be empty and be
   valid UTF-8. Known types are told in any spelling (UID2, "maid ", idfa) and get their name of
   AdCP; what is nearly one is refused. Values of known types must have the form that these have,
   and those of others be no email, phone or placeholder. With `repair`, quotes, a spreadsheet's =
   and invisible characters round a value are removed, and URL-safe or unpadded base64 of uid2 and
   euid is written in the standard form. */
sc3_reason sc3_uid_read(const sc3_uid *uid, int repair, sc3_uid_form *form);

/* Only the type: its name of AdCP, or the type itself where nothing is known of it, in `*name`. */
sc3_reason sc3_uid_type(sc3_slice type, sc3_slice *name);

#endif
