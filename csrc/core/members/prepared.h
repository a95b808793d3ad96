/* Rows that are members already, as a payload of lines has them: they are checked and not changed.
 */
#ifndef SC3_PREPARED_H
#define SC3_PREPARED_H

#include "../bytes/buffer.h"
#include "../rows/record.h"
#include "mapping.h"

/* Gives a record of JSON without a fault one, where its keys or the types of their values are not
   those of a member. It has all fields, in order. */
void sc3_prepared_check(sc3_record *record);

/* Takes the values of a record that was checked into `*out`, which must be clear. The targets of
   the mapping are the keys of a member. Texts with escapes go to `texts`, which the values borrow
   from until the next call. What cannot be used rejects the member. SC3_ELIMIT, SC3_ENOMEM. */
sc3_status sc3_prepared_read(const sc3_mapping *m, const sc3_record *record, sc3_ids ids,
                             sc3_buffer *texts, sc3_mapped *out);

#endif
