/* See random_rows.h. */
#include "random_rows.h"

#include <string.h>

#include "way.h"

enum { TEXT_MAX = 1 << 20 };

static uint64_t state;

/* splitmix64 */
static uint64_t draw(void) {
  uint64_t z = state += UINT64_C(0x9e3779b97f4a7c15);
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

static size_t below(size_t n) {
  return (size_t)(draw() % n);
}

static char text[TEXT_MAX];
static size_t length;

static void put(const char *s) {
  size_t n = strlen(s);
  if (length + n < sizeof text - 1) {
    memcpy(text + length, s, n);
    length += n;
  }
}

#define PICK(list) (list)[below(sizeof(list) / sizeof *(list))]

/* --- values --- */

/* Bytes of every kind, long enough now and then to lie over blocks of 16, 32 and 64. */
static void put_noise(char quote, const char *delimiter) {
  static const char *const parts[] = {
      "a", "B", " ",    "\xc3\xa9", "\xe2\x80\x89", "\xf0\x9f\x98\x80", "'", "\t", ";",
      "|", ",", "\xff", "\\",       "\\N",          "0123456789abcdef", ".", "@",  "{",
      "}"};
  size_t n = below(8) > 0 ? below(6) : below(90);
  for (; n > 0; n--) {
    switch (below(quote != 0 ? 9 : 40)) {
      case 0: put(quote != 0 ? "\"\"" : "x"); break;
      case 1: put(quote != 0 ? "\n" : "y"); break;
      case 2: put(quote != 0 ? "\r\n" : "\""); break;
      case 3: put(quote != 0 ? "\r" : "z"); break;
      case 4: put(quote != 0 ? delimiter : "-"); break;
      default: {
        const char *part = PICK(parts);
        put(quote == 0 && strcmp(part, delimiter) == 0 ? "_" : part);
      }
    }
  }
}

static void put_digits(size_t n) {
  char digit[2] = {0, 0};
  for (; n > 0; n--) {
    digit[0] = (char)('0' + below(10));
    put(digit);
  }
}

/* What addresses are made of, and what stands beside it in ASCII. */
static void put_letters(size_t n) {
  static const char usual[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._+-",
                    odd[] = "@[`{/:^,~!";
  char letter[2] = {0, 0};
  for (; n > 0; n--) {
    letter[0] = below(200) > 0 ? usual[below(sizeof usual - 1)] : odd[below(sizeof odd - 1)];
    put(letter);
  }
}

static void put_email(void) {
  static const char *const names[] = {
      "jane",          "J.Doe",
      "o'brien",       "mailto:x",
      "Anna.Smith",    "<a",
      "a+b",           "_",
      "J\xc3\x9cRGEN", "very.long.local.part.of.an.address.that.goes.on.and.on"};
  static const char *const hosts[] = {"example.com", "Mail.Example.ORG",      "x",
                                      "a..b",        "z\xc3\xbcrich.example", "example.1",
                                      "-.co",        "shop.example.co.uk"};
  if (below(2) == 0) {
    put_letters(below(12) > 0 ? below(20) : below(70));
    put("@");
    put_letters(1 + below(12));
    put(below(9) > 0 ? ".co" : ".9");
    return;
  }
  put(PICK(names));
  put_digits(below(9));
  put(below(30) > 0 ? "@" : " at ");
  put(PICK(hosts));
}

static void put_phone(void) {
  static const char *const heads[] = {"+1 206 555 0",     "(206) 555-0", "030 23",
                                      "+49 (0)30 23",     "0049 30 23",  "0151 2",
                                      "+33 1 42 ",        "00",          "tel:+44 20 7946 0",
                                      "\xd9\xa1\xd9\xa2", "1.5E+"};
  put(PICK(heads));
  put_digits(3 + below(8));
  if (below(12) == 0)
    put(" ext. 12");
}

static void put_value(size_t column) {
  static const char *const regions[] = {"US",    "Germany",  "de", "FRA",
                                        "Korea", "Atlantis", "",   "C\xc3\xb4te d'Ivoire"};
  static const char hex[] = "0123456789abcdefABCDEF";
  char digit[2] = {0, 0};
  size_t i;
  switch (column) {
    case 0:
      put_digits(1 + below(4)); /* some of them again */
      if (below(40) == 0)
        put("\\\x7f/\xc3\xa9");
      break;
    case 1:
    case 4:
      if (below(15) > 0) {
        put_email();
        break;
      }
      for (i = 0; i < 64; i++) {
        digit[0] = hex[below(22)];
        put(digit);
      }
      break;
    case 2:
    case 5: put_phone(); break;
    case 3: put(PICK(regions)); break;
    default:
      if (below(3) == 0)
        put("ODP3RBeFtTtZBeBfbC6Q9WRDGzHDtUW9zqzqoBKOZ2U=");
  }
}

/* --- rows --- */

static void put_cell(size_t column, const char *delimiter) {
  switch (below(16)) {
    case 0: /* all that quotes may hold */
    case 1:
      put("\"");
      put_noise('"', delimiter);
      if (below(3) == 0)
        put_value(column);
      put_noise('"', delimiter);
      put(below(60) > 0 ? "\"" : "\"x"); /* text after a closing quote */
      break;
    case 2:
      put("\"");
      put_value(column);
      put("\"");
      break;
    case 3: put_noise(0, delimiter); break;
    case 4:
      put(" ");
      put_value(column);
      put("  ");
      break;
    case 5: break;
    default: put_value(column);
  }
}

static void put_csv(size_t rows) {
  static const char *const delimiters[] = {",", ";", "\t", "|"}, *const ends[] = {"\n", "\r\n",
                                                                                  "\r"};
  const char *delimiter = PICK(delimiters), *end = PICK(ends);
  size_t row, column;
  if (below(4) == 0)
    put("\xef\xbb\xbf");
  for (row = 0; row <= rows; row++) {
    size_t columns =
        below(50) > 0 ? WAY_COLUMNS : WAY_COLUMNS - 1 + 2 * below(2); /* some rows are ragged */
    for (column = 0; column < (row == 0 ? WAY_COLUMNS : columns); column++) {
      if (column > 0)
        put(delimiter);
      if (row == 0)
        put(PICK(((const char *const[]){"name", "\"a name\"", "\"with \"\"quotes\"\"\""})));
      else
        put_cell(column, delimiter);
    }
    if (below(200) == 0 && length + 1 < sizeof text)
      text[length++] = '\0';
    put(below(20) > 0 ? end : PICK(ends)); /* mixed, as files that were joined have them */
    if (below(30) == 0)
      put(end);
  }
  if (below(10) == 0)
    put("1,\"never closed"); /* which ends the text, however much has come */
}

static void put_json_string(size_t column) {
  size_t start = length, i;
  put_value(column);
  put_noise(0, ",");
  for (i = start; i < length; i++) {
    if (text[i] == '"' || text[i] == '\\' || (unsigned char)text[i] < 0x20)
      text[i] = '/';
  }
  if (below(6) == 0)
    put(PICK(((const char *const[]){"\\n", "\\u00e9", "\\ud83d\\ude00", "\\\"", "\\ud800", "\\\\",
                                    "\\x", "\\u0041"})));
}

static void put_jsonl(size_t rows) {
  static const char *const others[] = {
      "1", "-2.5e3", "true", "null", "[1,{\"a\":\"]\"}]", "{}", "01", "12345678901234567890"};
  char name[2] = {0, 0};
  size_t row, column;
  for (row = 0; row < rows; row++) {
    put(below(30) > 0 ? "{" : "[");
    for (column = 0; column < WAY_COLUMNS + 1; column++) {
      if (column > 0)
        put(below(200) > 0 ? ", " : " ");
      name[0] = (char)('a' + (below(20) > 0 ? column : below(20))); /* some again, some unknown */
      put("\"");
      put(below(40) > 0 ? name : "\\u0061");
      put("\" :");
      if (below(12) > 0) {
        put("\"");
        put_json_string(column % WAY_COLUMNS);
        put("\"");
      } else {
        put(PICK(others));
      }
    }
    put(below(100) > 0 ? "}\n" : "}x\r\n");
  }
}

/* --- texts --- */

void random_rows_seed(uint64_t seed) {
  state = seed;
}

/* Each draw is a statement of its own: the order of evaluation is the compiler's otherwise. */
static unsigned draw_mode(void) {
  unsigned mode = (unsigned)draw() & (1023 | WAY_HASH_IDS | WAY_IDS_AS_IS);
  if (below(8) == 0)
    mode |= (unsigned)draw() & (WAY_NO_QUOTES | WAY_ESCAPES);
  if (below(8) == 0)
    mode |= (unsigned)draw() & (WAY_BYTES | WAY_SKIP_LINES);
  return mode;
}

void random_rows_next(way_input *in) {
  in->mode = draw_mode();
  in->step = below(4) > 0 ? 1 + below(1000) : 1 << 16;
  in->max_rows = UINT64_MAX;
  length = 0;
  if (below(6) == 0) {
    in->mode |= WAY_JSONL;
    put_jsonl(RANDOM_ROWS);
  } else {
    in->mode &= ~(unsigned)(WAY_JSONL | (below(4) > 0 ? WAY_COMMA : 0));
    put_csv(RANDOM_ROWS);
  }
  in->p = (const uint8_t *)text;
  in->n = length;
}

void random_rows_add(way_result *sum, const way_result *of_text) {
  sum->rows += of_text->rows;
  sum->faults += of_text->faults;
  sum->built += of_text->built;
  sum->replaced += of_text->replaced;
  sum->deferred += of_text->deferred;
  sum->dropped += of_text->dropped;
}

int random_rows_prove(const way_result *sum) {
  return sum->faults * 50 >= sum->rows && sum->built * 4 >= sum->rows && sum->deferred > 0 &&
         sum->replaced > 0;
}
