/* JSON Lines: one object a line (RFC 8259). Lines end with LF or CRLF; with CR where the first one does. */
#ifndef SC3_JSONL_H
#define SC3_JSONL_H

#include "input.h"
#include "lines.h"
#include "record.h"

typedef struct sc3_jsonl {
  sc3_input input;
  int begun;
  int skipping; /* inside a line that is too long */
  int cr; /* lines end with CR alone */
  uint64_t row, line;
  sc3_lines lines;
  sc3_field *fields;
  size_t field_capacity;
  sc3_fatal fatal;
} sc3_jsonl;

void sc3_jsonl_init(sc3_jsonl *j);
void sc3_jsonl_free(sc3_jsonl *j);

/* The next object's members as fields, in their order: strings unescaped, numbers and nested values as their text. A key may come more than once; the
   last counts: look from the end, by sc3_record_find(). With `wanted` only the fields of those keys; the others are checked and passed over, and neither
   unescaped nor kept. NULL: all of them. Blank lines are no rows. */
sc3_next sc3_jsonl_next(sc3_jsonl *j, const sc3_keys *wanted, sc3_record *record);

#endif
