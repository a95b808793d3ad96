/* Members of a spool as a text that is handed to others: their lines (../members/lines.h), behind
 * the label of each audience. Nothing is looked up in between: whoever reads the lines finds out
 * what replaces what. */
#ifndef SC3_SPOOL_ENTRY_H
#define SC3_SPOOL_ENTRY_H

#include "spool.h"

/* How a spool is divided. The first two alone decide where: an entry is known by where it begins,
 * so nothing that a later process may have otherwise may give it other records. */
typedef struct sc3_spool_entry_bounds {
  size_t records;      /* the numbers of an entry's records span at most so many, at least 1 */
  size_t bytes;        /* of records with their labels, but where one alone has more */
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
