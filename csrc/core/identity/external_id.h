/* External ids (docs/contract.md section 7): one id per person, whatever a spreadsheet or a program
   made of it, and no raw identity in place of an id. */
#ifndef SC3_EXTERNAL_ID_H
#define SC3_EXTERNAL_ID_H

#include "../bytes/sha256.h"
#include "pii.h"
#include "reading.h"
#include "reason.h"

typedef struct sc3_external_id {
  sc3_slice raw;    /* not empty */
  sc3_pii meant;    /* what it is known to be whatever its form, such as by its column's name */
  sc3_slice region; /* the row's name of a region, blank where it has none */
} sc3_external_id;

/* An id as it is sent. */
typedef struct sc3_external_id_form {
  sc3_slice value; /* a part of the raw id, or of `hex` */
  sc3_repairs repairs;
  char hex[SC3_SHA256_HEX];
} sc3_external_id_form;

/* Reads an id into `*form`. SC3_R_NONE on success, else why it cannot be used.

   White space, invisible and control characters, quotes and a spreadsheet's = round it, and the .0
   of a number are removed and noted in the repairs; without reading->repair they are refused. An
   email or a phone becomes what reading->ids says. */
sc3_reason sc3_external_id_read(const sc3_external_id *id, sc3_reading *reading,
                                sc3_external_id_form *form);

/* SC3_R_NONE where an id, which is not empty and valid UTF-8, may be one that was read before, and
   is not to be changed: it holds no control characters, and is no email or phone unless `ids` is
   SC3_IDS_AS_IS. */
sc3_reason sc3_external_id_check(sc3_slice id, sc3_ids ids);

#endif
