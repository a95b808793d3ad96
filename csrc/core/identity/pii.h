/* Whether a text that should be an id reads as an email address or a phone: a person's raw
   identity, which never leaves the process by itself. */
#ifndef SC3_PII_H
#define SC3_PII_H

#include "../bytes/slice.h"

typedef enum sc3_pii {
  SC3_PII_NONE,
  SC3_PII_EMAIL,   /* an address stands in it, whatever stands round that, and however its @ is
                          written */
  SC3_PII_PHONE,   /* an international phone, or a national one by its brackets or by the groups
                          of North America;   also with an extension, or a label such as "call:" */
  SC3_PII_NATIONAL /* laid out as a national phone: one if it is valid where it comes from */
} sc3_pii;

/* A text of only digits is never a phone, however long: numbers of customers and orders look like
   that. `s` must be trimmed, valid UTF-8. */
sc3_pii sc3_pii_detect(sc3_slice s);

/* The same where the text is known to be one of the two, such as by the name of its column: then it
   is that in any form, but for hashes, and for phones with fewer than five digits. */
sc3_pii sc3_pii_detect_as(sc3_slice s, sc3_pii meant);

/* Whether an id and a phone are one number: the same digits, or the same but for zeros and a
 * country's code before. */
int sc3_pii_is_same_number(sc3_slice id, sc3_slice phone);

/* Whether a text of SC3_PII_NATIONAL is a phone in a region. */
int sc3_pii_is_phone_in(sc3_slice s, int region);

#endif
