/* Universal IDs (docs/contract.md section 7): carried as they are, never hashed, never case-folded. */
#ifndef SC3_UID_H
#define SC3_UID_H

#include "reason.h"
#include "slice.h"

typedef struct sc3_uid {
  unsigned column; /* of the source, where one is known; else 0 */
  sc3_slice type;
  sc3_slice value;
} sc3_uid;

/* SC3_R_NONE when the uid can be sent. Type and value must not be empty and be valid UTF-8, and the type not be external_id; values of uid2,
   euid, rampid, rampid_derived, id5, pairid and maid must have the form that these have. Other types pass as they are. */
sc3_reason sc3_uid_check(const sc3_uid *uid);

#endif
