/* CSV (RFC 4180), as people have it: BOM, LF or CRLF or CR, quoted newlines, any delimiter. And
   what databases write: no quoting, and a backslash before what is not meant as it stands. */
#ifndef SC3_CSV_H
#define SC3_CSV_H

#include "csv_scan.h"
#include "csv_width.h"
#include "input.h"
#include "line_counts.h"
#include "record.h"

typedef struct sc3_csv {
  sc3_input input;
  sc3_csv_dialect dialect;
  char likely; /* of delimiters that are as frequent: what followed a sep= line */
  int has_header;
  uint64_t skip_lines; /* that stand before the header, those still to be passed over */
  int sniffed;         /* the first bytes were looked at */
  int separated;       /* a first line that names the delimiter was looked for */
  int begun;           /* all before the header was passed over */
  int header_read;
  int skip_lf;   /* the last row ended with CR at the end of what had come */
  int has_nulls; /* the row that was given out has fields that are SC3_KIND_NULL */
  uint64_t row, line;
  sc3_line_counts lines;
  sc3_csv_fields fields;
  sc3_csv_stretch stretch;
  size_t columns; /* fields of the header, or of the first row; 0 until they are known */
  sc3_csv_width width;
  sc3_buffer header; /* the header's text, kept */
  sc3_slice *names;  /* slices of it */
  sc3_fatal fatal;
} sc3_csv;

/* `delimiter` 0 = found by itself: what a first line "sep=…" says, else the most frequent of comma,
 * semicolon, tab and pipe in the first line. */
void sc3_csv_init(sc3_csv *csv, char delimiter, int has_header);

/* Of one that was not begun: the quote, the escape (0 = none), and what stands for no value (at
   most SC3_NULL_MAX bytes). With an escape a CR without LF ends no row, because databases that
   escape line ends leave it as it is. */
void sc3_csv_set_dialect(sc3_csv *csv, char quote, char escape, sc3_slice null);

/* Takes what stands before the header: a line that names the delimiter, and `skip_lines` lines, set
   before the first call, in which quotes mean nothing. SC3_NEXT_RECORD when all of it was taken.
   sc3_csv_begin() calls it. */
sc3_next sc3_csv_skip_head(sc3_csv *csv);

void sc3_csv_free(sc3_csv *csv);

/* Reads up to the header, so that names and columns are known: SC3_NEXT_RECORD when they are. With
   no header it looks at the first row, which stays to be read, and columns are its fields; 0 where
   there is no row. */
sc3_next sc3_csv_begin(sc3_csv *csv);

/* Reads as sc3_csv_begin(), and learns from the first row what the others are judged by.
   SC3_NEXT_END where there is none. */
sc3_next sc3_csv_learn(sc3_csv *csv);

/* Says that the input stands at the first byte of this row, after sc3_csv_learn(). A row that could
   be read among all those before it can be read alone. */
void sc3_csv_resume(sc3_csv *csv, uint64_t row, uint64_t line);

/* The next row. Empty lines, and lines of nothing but delimiters and white space, are no rows. */
sc3_next sc3_csv_next(sc3_csv *csv, sc3_record *record);

#endif
