#include "csv_width.h"

static int is_blank(sc3_slice s) {
  size_t i = 0;
  while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'))
    i++;
  return i == s.n;
}

size_t sc3_width_filled(const sc3_field *fields, size_t count, size_t columns) {
  while (count > columns && is_blank(fields[count - 1].value))
    count--;
  return count;
}

/* Two short rows, one after the other, which together have the fields of one: a line end broke it.
   Two customers are told from that by their first cells, which are made of the same. */
static int is_rest(const sc3_width *w, size_t count, size_t columns, uint64_t row, unsigned make) {
  return w->row > 0 && w->row + 1 == row && w->count + count == columns + 1 && make != w->make;
}

static sc3_reason judge_short(sc3_width *w, sc3_lines *l, sc3_field *fields, size_t *count,
                              size_t columns, uint64_t row) {
  static const char nothing[] = "";
  sc3_slice first = fields[0].value;
  const unsigned make = sc3_lines_made_of(first.p, first.p + first.n);
  const int rest = is_rest(w, *count, columns, row, make);
  w->row = row;
  w->count = *count;
  w->make = make;
  if (rest)
    return SC3_R_RAGGED_ROW;
  for (; *count < columns; ++*count) {
    fields[*count].value = sc3_slice_of(nothing, 0);
    fields[*count].kind = SC3_KIND_TEXT;
  }
  if (l->short_rows < SC3_SHORT_MAX)
    l->short_at[l->short_rows] = row;
  l->short_rows++;
  return SC3_R_NONE;
}

sc3_reason sc3_width_judge(sc3_width *w, sc3_lines *l, sc3_field *fields, size_t *count,
                           size_t columns, uint64_t row, uint64_t further) {
  if (*count == columns)
    return SC3_R_NONE;
  if (*count <
      columns) /* with a line end inside a quote may be missing, and nothing of it is trusted */
    return further > 0 ? SC3_R_RAGGED_ROW : judge_short(w, l, fields, count, columns, row);
  if (*count == columns + w->extra && sc3_width_filled(fields, *count, columns) == columns) {
    l->trailing_rows++;
    *count = columns;
    return SC3_R_NONE;
  }
  l->longer_rows += *count == columns + 1;
  return SC3_R_RAGGED_ROW;
}
