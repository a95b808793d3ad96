/* What the first lines of a text say about its CSV. */
#ifndef SC3_CSV_SNIFF_H
#define SC3_CSV_SNIFF_H

#include "csv_scan.h"

/* The most frequent of comma, semicolon, tab and pipe in the first line that holds more than these
   and white space, outside quotes and after no escape; of several that are as frequent, `likely`.
   '\0' where that line has not come to its end, unless `all` has come that is waited for. */
char sc3_csv_sniff_delimiter(const sc3_csv_dialect *dialect, char likely, sc3_slice text, int all);

/* Whether the text is an object or an array of objects, as no header begins. */
int sc3_csv_sniff_json(sc3_slice text);

/* Whether a byte is neither white space, nor a line end, nor this delimiter. */
static inline int sc3_csv_is_content(char c, char delimiter) {
  return c != ' ' && c != '\t' && c != '\n' && c != '\r' && c != delimiter;
}

#endif
