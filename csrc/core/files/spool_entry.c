#include "spool_entry.h"

#include <errno.h>

#include "../members/lines.h"

/* Where an entry stands while it is written. */
typedef struct writing {
  sc3_buffer *out;
  size_t begin;    /* of the entry in `out` */
  sc3_slice label; /* of the line before; {NULL, 0} before the first */
} writing;

static sc3_status put(writing *w, sc3_slice label, const sc3_spool_record *r) {
  const sc3_status status = sc3_buffer_reserve(w->out, 2 * SC3_LINE_HEAD + label.n + r->packed.n);
  if (status != SC3_OK)
    return status;
  if (w->out->n == w->begin || !sc3_slice_eq(label, w->label))
    sc3_lines_put_label(w->out, label);
  sc3_lines_put(w->out, r->op, r->packed);
  w->label = label;
  return SC3_OK;
}

/* Bytes of a member in a request, without its comma; more than any where it is none. */
static size_t json_size(const sc3_spool_record *r) {
  sc3_packed parts;
  return sc3_packed_read(r->packed, &parts) ? sc3_packed_json_size(&parts) : SIZE_MAX;
}

sc3_spool_status sc3_spool_next_entry(sc3_spool *s, sc3_spool_cursor *cursor,
                                      const sc3_spool_entry_bounds *bounds, sc3_buffer *out,
                                      sc3_spool_entry *entry) {
  const sc3_spool_cursor begin = *cursor;
  writing w = {out, out->n, {NULL, 0}};
  size_t bytes = 0; /* of all records that were read, so that it does not count which of them fit */
  memset(entry, 0, sizeof *entry);
  for (;;) {
    const sc3_spool_cursor before = *cursor;
    sc3_spool_record r;
    const sc3_spool_status status = sc3_spool_next(s, cursor, &r);
    if (status != SC3_SPOOL_OK || r.packed.p == NULL)
      return status;
    if (entry->members + entry->unfit == 0)
      entry->after = r.number - 1;
    else if (r.number - entry->after > bounds->records ||
             bytes + r.label.n + r.packed.n > bounds->bytes) {
      *cursor = before;
      return SC3_SPOOL_OK;
    }
    bytes += r.label.n + r.packed.n;
    if (json_size(&r) >= bounds->member_bytes) {
      entry->unfit++;
      continue;
    }
    if (put(&w, r.label.n > 0 ? r.label : bounds->label, &r) != SC3_OK) {
      *cursor = begin;
      errno = ENOMEM;
      return SC3_SPOOL_SYSTEM;
    }
    entry->members++;
  }
}
