/* External ids (docs/contract.md section 7): one id a person, however a spreadsheet or a program
   wrote it, and no raw identity by a side door. */
#ifndef SC3_ID_H
#define SC3_ID_H

#include "member.h"
#include "../bytes/sha256.h"

/* Reads `raw`, which must not be empty, into `*id`: a part of it, or of `hex`. SC3_R_NONE on
   success, else why it cannot be used. White space, invisible and control characters, quotes and a
   spreadsheet's = round it, and the .0 of a number are taken off and added to `*repairs`; without
   reading->repair they are refused. An email or a phone is what reading->ids has it. `meant` is
   what it is known to be whatever its form. `region` is the row's name of one, blank where it has
   none.
 */
sc3_reason sc3_id_read(sc3_slice raw, sc3_contact meant, sc3_slice region, sc3_reading *reading,
                       char hex[SC3_SHA256_HEX], sc3_slice *id, sc3_repairs *repairs);

#endif
