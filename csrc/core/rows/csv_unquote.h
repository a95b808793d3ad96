/* What the fields of a row of CSV hold: their values without quotes and escapes, or none. */
#ifndef SC3_CSV_UNQUOTE_H
#define SC3_CSV_UNQUOTE_H

#include "csv_scan.h"

/* Whether a field of the row at `head` was quoted. */
int sc3_csv_is_quoted(const sc3_csv_dialect *dialect, const char *head, const sc3_field *field);

/* Removes doubled quotes and escapes in place: the bytes of the row cannot be scanned again. A NUL
 * that an escape stands for gives the row a fault. */
void sc3_csv_unquote(const sc3_csv_dialect *dialect, char *head, sc3_csv_fields *fields,
                     sc3_csv_row *row);

/* Makes those of `count` fields SC3_KIND_NULL that hold the dialect's null without quotes. Whether
 * there are any. */
int sc3_csv_find_nulls(const sc3_csv_dialect *dialect, const char *head, sc3_csv_fields *fields,
                       size_t count);

#endif
