#include "csv_width.h"

static int is_blank(sc3_slice s) {
  size_t i = 0;
  while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t'))
    i++;
  return i == s.n;
}

size_t sc3_csv_width_count_filled(const sc3_field *fields, size_t count, size_t columns) {
  while (count > columns && is_blank(fields[count - 1].value))
    count--;
  return count;
}

/* Two short rows, one after the other, which together have the fields of one: a line end broke it.
   Rows of two customers are told apart from that by their first cells, which are made of the same.
 */
static int is_rest(const sc3_csv_width *w, const sc3_csv_width_row *row, unsigned make) {
  return w->row > 0 && w->row + 1 == row->number && w->count + row->count == row->columns + 1 &&
         make != w->make;
}

static void fill_up(sc3_csv_width_row *row) {
  static const char nothing[] = "";
  for (; row->count < row->columns; row->count++) {
    row->fields[row->count].value = sc3_slice_of(nothing, 0);
    row->fields[row->count].kind = SC3_KIND_TEXT;
  }
}

static sc3_reason judge_short(sc3_csv_width *w, sc3_line_counts *l, sc3_csv_width_row *row) {
  const sc3_slice first = row->fields[0].value;
  const unsigned make = sc3_classify_cell(first.p, first.p + first.n);
  const int rest = is_rest(w, row, make);
  w->row = row->number;
  w->count = row->count;
  w->make = make;
  if (rest)
    return SC3_R_RAGGED_ROW;
  fill_up(row);
  if (l->short_rows < SC3_SHORT_MAX) {
    l->short_at[l->short_rows] = row->number;
    l->short_lines[l->short_rows] = row->line;
  }
  l->short_rows++;
  return SC3_R_NONE;
}

sc3_reason sc3_csv_width_judge(sc3_csv_width *w, sc3_line_counts *l, sc3_csv_width_row *row) {
  if (row->count == row->columns)
    return SC3_R_NONE;
  /* With a line end inside, a quote may be missing, and nothing of the row is trusted. */
  if (row->count < row->columns)
    return row->inner > 0 ? SC3_R_RAGGED_ROW : judge_short(w, l, row);
  if (row->count == row->columns + w->extra &&
      sc3_csv_width_count_filled(row->fields, row->count, row->columns) == row->columns) {
    l->trailing_rows++;
    row->count = row->columns;
    return SC3_R_NONE;
  }
  l->longer_rows += row->count == row->columns + 1;
  return SC3_R_RAGGED_ROW;
}

void sc3_csv_width_forget_short(sc3_line_counts *l) {
  l->short_rows--; /* its place is taken by the next one */
}
