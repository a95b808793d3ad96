#include "csv_sniff.h"

static const char CANDIDATES[] = {',', ';', '\t', '|'};

enum { COUNT = sizeof CANDIDATES };

/* How often each of the candidates stands in a line. */
typedef struct counts {
  size_t of[COUNT];
} counts;

static size_t sum(const counts *c) {
  return c->of[0] + c->of[1] + c->of[2] + c->of[3];
}

static char most_frequent(const counts *c, char likely) {
  size_t i, best = 0;
  for (i = 0; i < COUNT; i++)
    best = CANDIDATES[i] == likely ? i : best;
  for (i = 0; i < COUNT; i++) {
    if (c->of[i] > c->of[best])
      best = i;
  }
  return CANDIDATES[best];
}

char sc3_csv_sniff_delimiter(const sc3_csv_dialect *d, char likely, sc3_slice text, int all) {
  const char *p = text.p, *const end = text.p + text.n;
  counts line = {{0}}, empty_line = {{0}};
  int quoted = 0, holds = 0;
  size_t i;
  for (; p < end; p++) {
    const int line_end = !quoted && (*p == '\n' || *p == '\r');
    if (d->escape != '\0' && *p == d->escape && p + 1 < end) {
      p++;
      holds = 1;
      continue;
    }
    if (d->quote != '\0' && *p == d->quote) {
      quoted = !quoted;
    } else if (line_end && holds) {
      break;
    } else if (line_end && sum(&line) > 0) {
      empty_line = line;
      memset(&line, 0, sizeof line);
    }
    holds |= sc3_csv_is_content(*p, '\0') && strchr(",;|", *p) == NULL; /* a NUL is nothing here */
    for (i = 0; i < COUNT && !quoted; i++)
      line.of[i] += *p == CANDIDATES[i];
  }
  if (p == end && !all)
    return '\0';
  return most_frequent(!holds && sum(&line) == 0 ? &empty_line : &line, likely);
}

SC3_COLD
int sc3_csv_sniff_json(sc3_slice s) {
  size_t i;
  char first = '\0';
  for (i = 0; i < s.n; i++) {
    if (s.p[i] == ' ' || s.p[i] == '\t')
      continue;
    if (first != '\0')
      return s.p[i] == (first == '{' ? '"' : '{') || s.p[i] == '\n' || s.p[i] == '\r';
    if (s.p[i] != '{' && s.p[i] != '[')
      return 0;
    first = s.p[i];
  }
  return 0;
}
