/* Members of a spool as a text that is handed to others: their lines (../members/lines.h), behind
 * the label of each audience. Nothing is looked up in between: whoever reads the lines finds out
 * what replaces what. */
#ifndef SC3_SPOOL_ENTRY_H
#define SC3_SPOOL_ENTRY_H

#include "spool.h"

/* How a spool is divided. The same bounds divide the same spool at the same places. */
typedef struct sc3_spool_entry_bounds {
  size_t members;      /* at most so many in an entry, at least 1 */
  size_t bytes;        /* at most so many, but where one member alone has more */
  size_t member_bytes; /* a member with more, its comma counted, is passed over */
  sc3_slice label;     /* of members that have none */
} sc3_spool_entry_bounds;

typedef struct sc3_spool_entry {
  uint32_t after; /* one less than the number of the first record that was read */
  size_t members; /* lines, labels left out */
  size_t unfit;   /* members that were passed over */
} sc3_spool_entry;

/* Appends the next entry to `out`; nothing where no member is left, or none that fits. After a
   failure the cursor stands where it stood, and `out` has some of the entry. */
sc3_spool_status sc3_spool_next_entry(sc3_spool *s, sc3_spool_cursor *cursor,
                                      const sc3_spool_entry_bounds *bounds, sc3_buffer *out,
                                      sc3_spool_entry *entry);

#endif
