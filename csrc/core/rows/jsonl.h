/* JSON Lines: one object a line (RFC 8259). Lines end with LF or CRLF; with CR where the first one
   does. Also objects that follow each other in any other way: several in a line or over several
   lines, with commas or record separators (RFC 7464) between them, or as the elements of one array.
 */
#ifndef SC3_JSONL_H
#define SC3_JSONL_H

#include "input.h"
#include "json_layout.h"
#include "json_object.h"
#include "line_counts.h"
#include "record.h"

typedef struct sc3_jsonl {
  sc3_input input;
  int begun, sniffed;
  enum { SC3_LAYOUT_LINES, SC3_LAYOUT_STREAM, SC3_LAYOUT_ARRAY } layout;
  int closed;                      /* the array has ended */
  int inside;                      /* lines: the last row ended before its line did */
  int open;                        /* else: something of the line was taken */
  uint64_t accounted;              /* the last line that is in the counts */
  char wrapped[SC3_JSON_PATH_MAX]; /* what leads to an array of objects inside the first object */
  size_t wrapped_length;
  int skipping; /* inside a line that is too long */
  int cr;       /* lines end with CR, without LF */
  uint64_t row, line;
  sc3_line_counts lines;
  sc3_json_object object;
  sc3_fatal fatal;
} sc3_jsonl;

void sc3_jsonl_init(sc3_jsonl *j);

/* The keys that are asked for from now on are others than before. */
void sc3_jsonl_other_keys(sc3_jsonl *j);

void sc3_jsonl_free(sc3_jsonl *j);

/* Looks at the first bytes: SC3_NEXT_RECORD when it is known how objects follow each other. */
sc3_next sc3_jsonl_learn(sc3_jsonl *j);

/* Says that the input stands at the first byte of this row, after sc3_jsonl_learn(). */
void sc3_jsonl_resume(sc3_jsonl *j, uint64_t row, uint64_t line);

/* The next object's members as fields, in their order: strings unescaped, numbers and nested values
   as their text. A key may come more than once; the last counts: look from the end, by
   sc3_record_find(). With `wanted` only the fields that those keys may mean; the others are checked
   and passed over, and neither unescaped nor kept. What the keys mean (see lookup.h) is in `found`.
   NULL: all fields. Blank lines are no rows. Where objects do not stand one a line, what is no JSON
   is fatal, unless its end is known by its brackets. */
sc3_next sc3_jsonl_next(sc3_jsonl *j, const sc3_keys *wanted, sc3_record *record);

#endif
