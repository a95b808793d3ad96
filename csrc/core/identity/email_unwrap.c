/* What people and mail programs put round an address. Each step takes off one layer; they run until
 * none is left. */
#include "../bytes/ascii.h"
#include "email.h"
#include "../bytes/text.h"

enum { ROUNDS = 6 };

static void note(sc3_repairs *repairs, sc3_repair r) {
  *repairs |= 1u << r;
}

static size_t find(sc3_slice s, char c) {
  const char *p = s.n > 0 ? memchr(s.p, c, s.n) : NULL;
  return p != NULL ? (size_t)(p - s.p) : s.n;
}

static sc3_slice drop_head(sc3_slice s, size_t n) {
  return sc3_text_trim(sc3_slice_of(s.p + n, s.n - n));
}

static sc3_slice take_edges(sc3_slice s, sc3_repairs *repairs) {
  int stripped = 0;
  s = sc3_text_strip(s, &stripped);
  if (stripped)
    note(repairs, SC3_REPAIR_EMAIL_EDGES);
  return s;
}

/* mailto:a@b?subject=x */
static sc3_slice take_mailto(sc3_slice s, sc3_repairs *repairs) {
  if (!sc3_ascii_begins(s, "mailto:"))
    return s;
  note(repairs, SC3_REPAIR_EMAIL_MAILTO);
  s = drop_head(s, 7);
  s.n = find(s, '?');
  return sc3_text_trim(s);
}

static sc3_slice take_label(sc3_slice s, sc3_repairs *repairs) {
  static const char *const labels[] = {
      "email:", "e-mail:", "mail:", "email address:", "e-mail address:", "smtp:", "acct:", NULL};
  const char *const *label;
  for (label = labels; *label != NULL; label++) {
    if (sc3_ascii_begins(s, *label)) {
      note(repairs, SC3_REPAIR_EMAIL_LABEL);
      return drop_head(s, strlen(*label));
    }
  }
  return s;
}

static int is_same(sc3_slice a, sc3_slice b) {
  size_t i;
  for (i = 0; i < a.n && i < b.n; i++) {
    if (sc3_ascii_to_lower(a.p[i]) != sc3_ascii_to_lower(b.p[i]))
      return 0;
  }
  return a.n == b.n;
}

/* Name <a@b>, <a@b> */
static sc3_slice take_name(sc3_slice s, sc3_repairs *repairs) {
  size_t open = find(s, '<');
  sc3_slice inside, name = sc3_slice_of(s.p, open);
  int marks = 0;
  if (s.n < 3 || s.p[s.n - 1] != '>' || open >= s.n - 2)
    return s;
  inside = sc3_slice_of(s.p + open + 1, s.n - open - 2);
  if (find(inside, '<') < inside.n || find(inside, '>') < inside.n ||
      (find(name, '@') < open &&
       !is_same(sc3_text_unmark(sc3_text_trim(name), "'\"", "'\"", &marks), sc3_text_trim(inside))))
    return s; /* several addresses: not ours to choose from */
  note(repairs, SC3_REPAIR_EMAIL_NAME);
  return sc3_text_trim(inside);
}

/* The place of a text in `s`, in any case; s.n where it is not. */
static size_t find_text(sc3_slice s, const char *text) {
  size_t i = 0;
  while (i < s.n && !sc3_ascii_begins(sc3_slice_of(s.p + i, s.n - i), text))
    i++;
  return i;
}

/* [text](mailto:a@b), [a@b](a@b) and <a href="mailto:a@b">text</a>. A text that is another address
   is not ours to choose from. */
static sc3_slice take_link(sc3_slice s, sc3_repairs *repairs) {
  sc3_slice text, address;
  size_t at;
  if (s.n > 4 && s.p[0] == '[' && s.p[s.n - 1] == ')' && (at = find_text(s, "](")) < s.n) {
    text = sc3_slice_of(s.p + 1, at - 1);
    address = sc3_slice_of(s.p + at + 2, s.n - at - 3);
  } else if (sc3_ascii_begins(s, "<a ") && (at = find_text(s, "mailto:")) < s.n &&
             (s.p[at - 1] == '"' || s.p[at - 1] == '\'')) {
    const char quote = s.p[at - 1];
    size_t close;
    address = sc3_slice_of(s.p + at, s.n - at);
    close = find(address, quote);
    text = sc3_slice_of(address.p + close, address.n - close);
    address.n = close;
    at = find(text, '>');
    if (at == text.n)
      return s;
    text = sc3_slice_of(text.p + at + 1, text.n - at - 1);
    text.n = find_text(text, "</a>");
  } else {
    return s;
  }
  if (sc3_ascii_begins(address, "mailto:"))
    address = drop_head(address, 7);
  address.n = find(address, '?');
  address = sc3_text_trim(address);
  text = sc3_text_trim(text);
  if (find(address, '@') == address.n || (find(text, '@') < text.n && !is_same(text, address)))
    return s;
  note(repairs, SC3_REPAIR_EMAIL_LINK);
  return address;
}

/* a@b (Name) */
static sc3_slice take_comment(sc3_slice s, sc3_repairs *repairs) {
  size_t open = find(s, '(');
  if (open == 0 || open == s.n || s.p[s.n - 1] != ')' || find(sc3_slice_of(s.p, open), '@') == open)
    return s;
  if (find(sc3_slice_of(s.p + open, s.n - open), '@') < s.n - open)
    return s;
  note(repairs, SC3_REPAIR_EMAIL_COMMENT);
  return sc3_text_trim(sc3_slice_of(s.p, open));
}

#define PAIR(open, close)                                                                          \
  {                                                                                                \
    {(open), sizeof(open) - 1}, {                                                                  \
      (close), sizeof(close) - 1                                                                   \
    }                                                                                              \
  }

/* Quotes and brackets round the whole, of any script. */
static sc3_slice take_quotes(sc3_slice s, sc3_repairs *repairs) {
  static const struct {
    sc3_slice open, close;
  } pairs[] = {
      PAIR("\"", "\""), PAIR("'", "'"),   PAIR("`", "`"),   PAIR("(", ")"),   PAIR("[", "]"),
      PAIR("{", "}"),   PAIR("`", "'"),   PAIR("´", "´"),   PAIR("`", "´"),   PAIR("“", "”"),
      PAIR("”", "”"),   PAIR("“", "“"),   PAIR("„", "“"),   PAIR("„", "”"),   PAIR("‘", "’"),
      PAIR("’", "’"),   PAIR("‘", "‘"),   PAIR("‚", "‘"),   PAIR("‚", "’"),   PAIR("«", "»"),
      PAIR("»", "«"),   PAIR("‹", "›"),   PAIR("›", "‹"),   PAIR("「", "」"), PAIR("『", "』"),
      PAIR("〈", "〉"), PAIR("《", "》"), PAIR("【", "】"), PAIR("（", "）"), PAIR("［", "］"),
      PAIR("＜", "＞"), PAIR("＂", "＂"), PAIR("＇", "＇"),
  };
  size_t i;
  for (i = 0; i < sizeof pairs / sizeof pairs[0] && s.n > 0; i++) {
    const sc3_slice open = pairs[i].open, close = pairs[i].close;
    if (*s.p == *open.p && s.n > open.n + close.n && memcmp(s.p, open.p, open.n) == 0 &&
        memcmp(s.p + s.n - close.n, close.p, close.n) == 0) {
      note(repairs, SC3_REPAIR_EMAIL_QUOTES);
      return sc3_text_trim(sc3_slice_of(s.p + open.n, s.n - open.n - close.n));
    }
  }
  return s;
}

static int is_stop(char c) {
  return c == '.' || c == ',' || c == ';';
}

/* A > is left where its < stands: that is a name's, and not this step's. */
static sc3_slice take_trailing(sc3_slice s, sc3_repairs *repairs) {
  const int is_named = find(s, '<') < s.n;
  while (s.n > 0 && (is_stop(s.p[s.n - 1]) || (s.p[s.n - 1] == '>' && !is_named))) {
    note(repairs, SC3_REPAIR_EMAIL_TRAILING);
    s.n--;
    s = sc3_text_trim(s);
  }
  return s;
}

/* A quote on only one side, and what spreadsheets, queries and Markdown put before an address.
   `Name <a@b>` is left alone: a quote there is the name's. */
static sc3_slice take_marks(sc3_slice s, sc3_repairs *repairs) {
  size_t open = find(s, '<');
  int taken = 0;
  if (open < s.n && (open > 0 || find(s, '>') < s.n))
    return s;
  s = sc3_text_unmark(s, "'\"`=*|{}~<", "'\"`=*|{}~", &taken);
  if (taken)
    note(repairs, SC3_REPAIR_EMAIL_MARKS);
  return s;
}

/* Whether no step would change a text: all that is taken off begins or ends with a mark, or with a
 * label and its colon. */
static int is_bare(sc3_slice s) {
  return s.n > 0 && sc3_ascii_is_alphanumeric(s.p[0]) && sc3_ascii_is_alphanumeric(s.p[s.n - 1]) &&
         find(s, ':') == s.n;
}

sc3_slice sc3_email_unwrap(sc3_slice s, sc3_repairs *repairs) {
  int round;
  for (round = 0; round < ROUNDS && !is_bare(s); round++) {
    sc3_slice before = s;
    s = take_edges(s, repairs);
    s = take_mailto(s, repairs);
    s = take_label(s, repairs);
    s = take_link(s, repairs);
    s = take_name(s, repairs);
    s = take_comment(s, repairs);
    s = take_quotes(s, repairs);
    s = take_trailing(s, repairs);
    s = take_marks(s, repairs);
    if (s.n == before.n)
      break;
  }
  return s;
}
