/* How many fields a row of CSV has, against its header: what may be missing or over, and what says
   that a row is shifted. */
#ifndef SC3_CSV_WIDTH_H
#define SC3_CSV_WIDTH_H

#include "line_counts.h"
#include "record.h"

typedef struct sc3_csv_width {
  int known;     /* `extra` is */
  size_t extra;  /* empty fields that rows have after those of the header, as each of the first ones
                    does */
  uint64_t row;  /* the last one that lacked cells */
  size_t count;  /* its fields */
  unsigned make; /* of its first cell, see sc3_classify_cell() */
} sc3_csv_width;

/* How many of the `count` fields stand before empty ones that end the row; at least `columns`. */
size_t sc3_csv_width_count_filled(const sc3_field *fields, size_t count, size_t columns);

/* A row whose width is judged. */
typedef struct sc3_csv_width_row {
  sc3_field *fields; /* room for `columns` */
  size_t count;      /* fields that it has; `columns` after it was found to be fine */
  size_t columns;    /* of the header */
  uint64_t number, line;
  uint64_t inner; /* line ends inside its fields */
} sc3_csv_width_row;

/* Judges a row: SC3_R_NONE, and then it has `columns` fields, or SC3_R_RAGGED_ROW. Counts in `l`.

   A row may lack cells at its end, as spreadsheets cut empty ones. It may not where it looks like
   the rest of the row before, which a line end broke. It may have as many empty fields more as the
   first rows have. */
sc3_reason sc3_csv_width_judge(sc3_csv_width *w, sc3_line_counts *l, sc3_csv_width_row *row);

/* The row that was judged last was short, and is refused after all: it is not counted as taken. */
void sc3_csv_width_forget_short(sc3_line_counts *l);

#endif
