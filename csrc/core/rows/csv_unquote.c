#include "csv_unquote.h"

int sc3_csv_is_quoted(const sc3_csv_dialect *d, const char *head, const sc3_field *f) {
  return d->quote != '\0' && f->value.p > head && f->value.p[-1] == d->quote;
}

/* The character that the one after an escape stands for. */
static char escaped(char c) {
  static const char from[] = "0bfnrtvZ", to[] = "\0\b\f\n\r\t\v\x1a";
  const char *at = c != '\0' ? strchr(from, c) : NULL;
  return at != NULL ? to[at - from] : c;
}

/* Removes the escapes of a field that begins at `to`, and doubled quotes where it was quoted. Its
 * new end; NULL when it holds a NUL. */
static char *unescape(const sc3_csv_dialect *d, char *to, const char *end, int quoted) {
  const char *from = to;
  int nul = 0;
  while (from < end) {
    char c = *from++;
    if (c == d->escape && from < end) {
      c = escaped(*from++);
      nul |= c == '\0';
    } else if (quoted && c == d->quote && from < end && *from == c) {
      from++;
    }
    *to++ = c;
  }
  return nul ? NULL : to;
}

/* Halves the doubled quotes of a field that begins at `to`; its new end. */
static char *halve_quotes(char quote_mark, char *to, char *end) {
  char *from = to;
  while (from < end) {
    char *quote = memchr(from, quote_mark, (size_t)(end - from));
    size_t n = quote != NULL ? (size_t)(quote + 1 - from) : (size_t)(end - from);
    memmove(to, from, n);
    to += n;
    from += quote != NULL ? n + 1 : n;
  }
  return to;
}

void sc3_csv_unquote(const sc3_csv_dialect *d, char *head, sc3_csv_fields *fields,
                     sc3_csv_row *row) {
  size_t i;
  for (i = 0; i < row->count; i++) {
    sc3_field *f = &fields->at[i];
    char *start, *end;
    if (f->kind != SC3_CSV_DOUBLED && f->kind != SC3_CSV_ESCAPED)
      continue;
    start = head + (f->value.p - head);
    end = f->kind == SC3_CSV_DOUBLED
              ? halve_quotes(d->quote, start, start + f->value.n)
              : unescape(d, start, start + f->value.n, sc3_csv_is_quoted(d, head, f));
    f->kind = SC3_KIND_TEXT;
    if (end != NULL) {
      f->value.n = (size_t)(end - start);
    } else if (row->fault == SC3_R_NONE) {
      row->fault = SC3_R_NUL_BYTE;
      row->fault_column = i + 1;
    }
  }
}

int sc3_csv_find_nulls(const sc3_csv_dialect *d, const char *head, sc3_csv_fields *fields,
                       size_t count) {
  const sc3_slice null = sc3_slice_of(d->null, d->null_length);
  size_t i;
  int found = 0;
  for (i = 0; i < count; i++) {
    sc3_field *f = &fields->at[i];
    if (sc3_slice_eq(f->value, null) && !sc3_csv_is_quoted(d, head, f)) {
      f->kind = SC3_KIND_NULL;
      found = 1;
    }
  }
  return found;
}
