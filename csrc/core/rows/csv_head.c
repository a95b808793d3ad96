/* What stands before the header of CSV. */
#include "csv.h"

static int is_separator(const char *p) {
  return (p[0] | 0x20) == 's' && (p[1] | 0x20) == 'e' && (p[2] | 0x20) == 'p' && p[3] == '=';
}

static int is_line_end(char c) {
  return c == '\n' || c == '\r';
}

/* The length of a first line "sep=;" without its end, and in `*delimiter` what it names; 0 for
   another line. Programs that took that line for a row of theirs put quotes round it, and their own
   delimiters after it. */
static size_t read_separator(const char *p, size_t n, char *delimiter, char *behind) {
  const size_t quoted = n > 0 && p[0] == '"';
  size_t i = quoted;
  char padding = '\0';
  if (n < i + 6 || !is_separator(p + i))
    return 0;
  i += 4;
  *delimiter = p[i++];
  if (*delimiter == '\\' && p[i] == 't') {
    *delimiter = '\t';
    i++;
  }
  if (*delimiter == '"' || is_line_end(*delimiter) || (quoted && (i == n || p[i++] != '"')))
    return 0;
  while (i < n && !is_line_end(p[i])) {
    char c = p[i++];
    if (c == ' ')
      continue;
    if ((padding != '\0' && c != padding) ||
        (c != *delimiter && c != ',' && c != ';' && c != '\t' && c != '|'))
      return 0;
    padding = c;
  }
  if (i == n)
    return 0;
  *behind = padding;
  return i;
}

/* "sep=;" alone on the first line, which spreadsheets write for one another, names the delimiter
 * and is no row. */
static void take_separator(sc3_csv *csv) {
  sc3_input *in = &csv->input;
  const char *p = sc3_input_head(in);
  char delimiter = '\0', behind = '\0';
  size_t length = read_separator(p, sc3_input_left(in), &delimiter, &behind);
  if (length == 0)
    return;
  if (behind != '\0' && behind != delimiter) /* written again since: the header tells */
    csv->likely = behind;
  else if (csv->dialect.delimiter == '\0')
    csv->dialect.delimiter = delimiter;
  csv->skip_lf = p[length] == '\r';
  csv->line++;
  csv->lines.header++;
  csv->skip_lines -= csv->skip_lines > 0;
  sc3_input_take(in, length + 1);
}

/* Passes over one line. SC3_NEXT_RECORD when it did. */
static sc3_next skip_line(sc3_csv *csv) {
  sc3_input *in = &csv->input;
  const char *p, *end, *mark;
  if (csv->skip_lf && sc3_input_left(in) > 0) {
    if (*sc3_input_head(in) == '\n')
      sc3_input_take(in, 1);
    csv->skip_lf = 0;
  }
  p = sc3_input_head(in);
  end = p + sc3_input_left(in);
  for (mark = p; mark < end && *mark != '\n' && (*mark != '\r' || csv->dialect.escape != '\0');
       mark++)
    continue;
  if (mark - p > SC3_ROW_MAX) {
    csv->fatal.kind = SC3_FATAL_ROW_TOO_LONG;
    csv->fatal.line = csv->line;
    return SC3_NEXT_FATAL;
  }
  if (mark == end && !in->finished)
    return SC3_NEXT_NEED;
  csv->skip_lf = mark < end && *mark == '\r';
  csv->line++;
  csv->lines.header += p < end;
  sc3_input_take(in, (size_t)(mark - p) + (mark < end));
  return SC3_NEXT_RECORD;
}

sc3_next sc3_csv_skip_head(sc3_csv *csv) {
  if (!csv->separated)
    take_separator(csv);
  csv->separated = 1;
  for (; csv->skip_lines > 0; csv->skip_lines--) {
    sc3_next next = skip_line(csv);
    if (next != SC3_NEXT_RECORD)
      return next;
    if (csv->input.finished &&
        sc3_input_left(&csv->input) == 0) { /* what is left to pass over is more than there is */
      csv->skip_lines = 0;
      break;
    }
  }
  return SC3_NEXT_RECORD;
}
