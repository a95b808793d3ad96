#include "line_counts.h"

#include <string.h>

#include "../bytes/ascii.h"

void sc3_line_counts_add(sc3_line_counts *l, const sc3_spot *row, size_t alike) {
  if (row->lines == 0)
    return;
  if (!row->refused && alike == 0) {
    l->quoted += row->lines;
    return;
  }
  l->swallowed += row->lines;
  if (row->refused)
    l->refused_rows++;
  else
    l->odd_rows++;
  if (l->spot_count < SC3_SPOTS_MAX)
    l->spots[l->spot_count++] = *row;
}

unsigned sc3_classify_cell(const char *p, const char *end) {
  unsigned set = 0;
  for (; p < end; p++) {
    char c = *p;
    if (sc3_ascii_is_digit(c))
      set |= 1;
    else if (sc3_ascii_is_letter(c) || ((unsigned char)c & 0x80) != 0)
      set |= 2;
    else if (c == ' ')
      set |= 4;
    else if (c == '@')
      set |= 8;
    else
      set |= 16;
  }
  return set;
}

/* A line inside a field, and the delimiters in it. */
typedef struct piece {
  const char *p, *end, *first,
      *last; /* the first and the last delimiter, NULL where there is none */
  size_t delimiters;
} piece;

static piece next_piece(const char *p, const char *end, char delimiter) {
  piece it = {p, p, NULL, NULL, 0};
  for (; it.end < end && *it.end != '\n' && *it.end != '\r'; it.end++) {
    if (*it.end == delimiter) {
      it.first = it.first != NULL ? it.first : it.end;
      it.last = it.end;
      it.delimiters++;
    }
  }
  return it;
}

/* Whether a cell of the line is made of the same as the cell of the row that it would stand under:
   the first, or where the field is the first itself, the last. Prose may have as many commas as a
   row, but not where an id belongs. */
static int same_make(const piece *it, const sc3_field *fields, size_t count, size_t at) {
  sc3_slice own = fields[at > 0 ? 0 : count - 1].value;
  unsigned make = own.p != NULL ? sc3_classify_cell(own.p, own.p + own.n) : 0;
  if (it->first == NULL || make == 0 || (at == 0 && count == 1))
    return 0;
  return make ==
         (at > 0 ? sc3_classify_cell(it->p, it->first) : sc3_classify_cell(it->last + 1, it->end));
}

/* Whether so many of `lines` whole lines have as many fields as the row that they are rows,
 * whatever they are made of. Prose often has one comma a line. */
static int are_rows(size_t as_long, size_t lines, size_t columns) {
  return columns >= 3 ? as_long >= 3 : as_long >= 8 && as_long * 10 >= lines * 9;
}

size_t sc3_count_row_like_lines(const sc3_field *fields, size_t count, size_t at, char delimiter,
                                int is_header) {
  const char *p = fields[at].value.p, *const end = p + fields[at].value.n;
  size_t alike = 0, as_long = 0, pieces = 0;
  int begins = 0; /* what stands before the first line end completes the row */
  if (count < 2)
    return 0;
  for (;;) {
    piece it = next_piece(p, end, delimiter);
    int last = it.end == end;
    if (pieces == 0) {
      begins = it.delimiters + at == count - 1;
    } else if (!last) {
      as_long += it.delimiters == count - 1;
      alike += it.delimiters == count - 1 && (is_header || same_make(&it, fields, count, at));
    } else if (begins && at > 0 && it.delimiters == at &&
               (is_header || same_make(&it, fields, count, at))) {
      alike++; /* the row in which the quote closes */
    }
    if (last)
      break;
    pieces++;
    p = it.end + (*it.end == '\r' && it.end + 1 < end && it.end[1] == '\n' ? 2 : 1);
  }
  return alike == 0 && are_rows(as_long, pieces > 0 ? pieces - 1 : 0, count) ? as_long : alike;
}
