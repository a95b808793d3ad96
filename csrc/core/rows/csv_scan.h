/* Rows of CSV, found in a text: where each field lies, and where the row ends. */
#ifndef SC3_CSV_SCAN_H
#define SC3_CSV_SCAN_H

#include "csv_marks.h"
#include "input.h"
#include "record.h"

enum { SC3_NULL_MAX = 64 };

/* How fields are delimited and quoted. */
typedef struct sc3_csv_dialect {
  char delimiter;          /* 0 until it is known */
  char quote, escape;      /* 0 = none */
  char null[SC3_NULL_MAX]; /* what a field without quotes holds where it has no value */
  size_t null_length;      /* 0 = no such text */
  sc3_csv_marks marks;
} sc3_csv_dialect;

/* The fields of a row. They have no names, and all are texts: a row writes only values. */
typedef struct sc3_csv_fields {
  sc3_field *at;
  size_t capacity;
} sc3_csv_fields;

/* The stretch of the text that was looked at last: rows are found one by one, and most are shorter
 * than it. */
typedef struct sc3_csv_stretch {
  int known;   /* all of it, for good */
  uint64_t at; /* the byte of the text that it begins with */
  sc3_csv_marked marked;
} sc3_csv_stretch;

/* What waits to be scanned. */
typedef struct sc3_csv_text {
  sc3_slice waiting;
  uint64_t at;  /* the byte of the whole text that it begins with */
  int finished; /* nothing follows it */
  sc3_csv_stretch *stretch;
} sc3_csv_text;

/* Kinds that mark fields until sc3_csv_unquote(): one that holds doubled quotes, and one that holds
 * escapes and perhaps doubled quotes. */
#define SC3_CSV_DOUBLED SC3_KIND_NESTED
#define SC3_CSV_ESCAPED SC3_KIND_TRUE

/* Why a row cannot be found: the fault of the whole input. */
typedef struct sc3_csv_error {
  sc3_fatal_kind kind;
  uint64_t line;      /* line ends of the row before it */
  size_t column;      /* counted from 1 */
  uint64_t lines;     /* SC3_FATAL_UNCLOSED_QUOTE: line ends that follow the quote */
  uint64_t swallowed; /* the same: lines that the row takes up */
} sc3_csv_error;

/* A row as it is found. The input is unchanged until the row's end is known, because the row is
 * scanned again when more has come. */
typedef struct sc3_csv_row {
  size_t count;   /* fields */
  size_t length;  /* bytes, the line end included */
  uint64_t lines; /* line ends, that of the row included */
  uint64_t inner; /* those inside fields */
  size_t alike;   /* lines inside fields that look like rows */
  int marked;     /* some field has a kind that marks it */
  int is_ascii;   /* no byte of it is over 127; else some may be */
  int ends_in_cr; /* at the end of what has come: an LF may follow */
  sc3_reason fault;
  size_t fault_column;
  sc3_csv_error error; /* SC3_NEXT_FATAL: of another row it is what it was */
} sc3_csv_row;

/* Finds the row at the head of the text that waits, which is not empty. SC3_NEXT_RECORD,
   SC3_NEXT_NEED, SC3_NEXT_FATAL, SC3_NEXT_NOMEM. Without a record some fields may be marked:
   sc3_csv_unmark() the first row->count + 1. */
sc3_next sc3_csv_scan(const sc3_csv_dialect *dialect, const sc3_csv_text *text,
                      sc3_csv_fields *fields, sc3_csv_row *row);

/* Makes the first `count` fields texts again. */
void sc3_csv_unmark(sc3_csv_fields *fields, size_t count);

#endif
