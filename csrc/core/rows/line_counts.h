/* The lines of a text that are no rows of their own: counted, so that lines = header + rows + blank
   + quoted + swallowed - shared. */
#ifndef SC3_LINE_COUNTS_H
#define SC3_LINE_COUNTS_H

#include <stddef.h>
#include <stdint.h>

#include "encoding.h"
#include "record.h"

/* A row of several lines that is not what it should be. */
typedef struct sc3_spot {
  uint64_t row, line; /* the line where it begins */
  uint64_t lines;     /* further lines inside it */
  int refused;        /* else it was taken, though lines inside it look like rows */
} sc3_spot;

enum { SC3_SPOTS_MAX = 8, SC3_SHORT_MAX = 3 };

typedef struct sc3_line_counts {
  uint64_t header; /* of the header, and of what stands before it */
  uint64_t blank;  /* empty lines, and those of nothing but delimiters or the brackets of JSON */
  uint64_t quoted; /* further lines of rows whose fields hold line ends */
  uint64_t
      swallowed; /* the same of rows that were refused, or that hold what looks like other rows */
  uint64_t refused_rows, odd_rows;
  int odd_header;       /* it holds what looks like rows */
  uint64_t bytes_marks; /* byte order marks after the first line, which were passed over */
  sc3_utf8_stats bytes;
  uint64_t shared;     /* JSON: rows that begin in the line in which the row before ends */
  uint64_t short_rows; /* CSV: rows that were taken though cells are missing at their end */
  uint64_t short_at[SC3_SHORT_MAX];    /* the first ones, */
  uint64_t short_lines[SC3_SHORT_MAX]; /* and the lines where they begin */
  uint64_t trailing_rows; /* CSV: rows that were taken with delimiters after their last column */
  uint64_t longer_rows;   /* CSV: rows that were refused for one field more than the header */
  sc3_spot spots[SC3_SPOTS_MAX]; /* the first ones */
  size_t spot_count;
} sc3_line_counts;

/* What a cell is made of, as a set of bits; 0 where it is empty. */
unsigned sc3_classify_cell(const char *p, const char *end);

/* Counts the further lines of a row. `alike` of them look like rows. */
void sc3_line_counts_add(sc3_line_counts *l, const sc3_spot *row, size_t alike);

/* How many lines inside the value of a quoted field, number `at` (from 0) of its row of `count`
   fields, look like rows that a quote swallowed. Of a header, whose cells are not made of what its
   rows are, `is_header`. */
size_t sc3_count_row_like_lines(const sc3_field *fields, size_t count, size_t at, char delimiter,
                                int is_header);

#endif
