#include "encoding.h"

#include <string.h>

#include "encoding_table.h"
#include "../bytes/utf8.h"

static const char names[][16] = {
    "",
    "utf-8",
    "utf-16",
    "utf-16le",
    "utf-16be",
    "iso-8859-1",
    /* in the order of the tables: */
    "windows-1250",
    "windows-1251",
    "windows-1252",
    "iso-8859-2",
    "cp850",
    "macintosh",
    /* and those that are like others: */
    "iso-8859-15",
    "windows-1254",
};

enum {
  NAMES = sizeof names / sizeof names[0],
  TABLES = sizeof encoding_tables / sizeof encoding_tables[0],
  WINDOWS_1250 = 0,
  WINDOWS_1252 = 2
};

const char *sc3_encoding_name(sc3_encoding encoding) {
  return encoding > 0 && (size_t)encoding < NAMES ? names[encoding] : NULL;
}

SC3_COLD
sc3_encoding sc3_encoding_of(sc3_slice name) {
  size_t i;
  for (i = 1; i < NAMES; i++) {
    if (sc3_slice_eq(name, sc3_slice_of(names[i], strlen(names[i]))))
      return (sc3_encoding)i;
  }
  return SC3_ENCODING_UNTOLD;
}

void sc3_decoder_init(sc3_decoder *d, sc3_encoding encoding) {
  memset(d, 0, sizeof *d);
  d->encoding = encoding;
}

/* How many bytes at `p` are ASCII. */
static size_t ascii_run(const char *p, size_t n) {
  size_t i = 0;
  for (; n - i >= 8; i += 8) {
    uint64_t w;
    memcpy(&w, p + i, 8);
    if (w & UINT64_C(0x8080808080808080))
      break;
  }
  while (i < n && (unsigned char)p[i] < 0x80)
    i++;
  return i;
}

static size_t lose(sc3_decoder *d, char *to) {
  d->lost++;
  *to = SC3_LOST;
  return 1;
}

/* --- one byte a character --- */

/* Notices whether the bytes outside ASCII would be UTF-8. */
static void compare(sc3_decoder *d, unsigned char c) {
  if (d->utf8_left > 0) {
    if ((c & 0xc0) == 0x80) {
      d->utf8_like += --d->utf8_left == 0;
      return;
    }
    d->utf8_left = 0;
    d->utf8_unlike++;
  }
  if (c < 0x80)
    return;
  d->utf8_left = c >= 0xc2 && c < 0xe0   ? 1
                 : c >= 0xe0 && c < 0xf0 ? 2
                 : c >= 0xf0 && c < 0xf5 ? 3
                                         : 0;
  d->utf8_unlike += d->utf8_left == 0;
}

/* The character of a byte outside ASCII; 0 where there is none. */
static uint32_t character_of(sc3_encoding encoding, unsigned char c) {
  const size_t table = (size_t)encoding - SC3_ENCODING_TABLES; /* a large number for ISO-8859-1 */
  const int is_latin9 = table == TABLES;
  const uint16_t(*others)[2] = is_latin9 ? iso_8859_15 : windows_1254;
  size_t i, n = is_latin9 ? sizeof iso_8859_15 / sizeof iso_8859_15[0]
                          : sizeof windows_1254 / sizeof windows_1254[0];
  if (table < TABLES)
    return encoding_tables[table][c - 0x80];
  for (i = 0; i < n && encoding != SC3_ENCODING_LATIN1; i++) {
    if (others[i][0] == c)
      return others[i][1];
  }
  return is_latin9 || encoding == SC3_ENCODING_LATIN1 ? c : encoding_tables[WINDOWS_1252][c - 0x80];
}

static size_t decode_bytes(sc3_decoder *d, const char *from, size_t n, char *to) {
  char *out = to;
  size_t i = 0;
  while (i < n) {
    unsigned char c = (unsigned char)from[i];
    compare(d, c);
    if (c < 0x80) {
      size_t run = ascii_run(from + i, n - i);
      memmove(out, from + i, run);
      out += run;
      i += run;
    } else {
      uint32_t cp = character_of(d->encoding, c);
      d->controls += cp >= 0x80 && cp < 0xa0;
      out += cp != 0 ? sc3_utf8_encode(cp, out) : lose(d, out);
      i++;
    }
  }
  return (size_t)(out - to);
}

/* --- UTF-16 --- */

static uint32_t unit_at(const sc3_decoder *d, const unsigned char *p) {
  return d->encoding == SC3_ENCODING_UTF16LE ? (uint32_t)p[1] << 8 | p[0]
                                             : (uint32_t)p[0] << 8 | p[1];
}

static int is_high(uint32_t unit) {
  return unit >= 0xd800 && unit < 0xdc00;
}

static int is_low(uint32_t unit) {
  return unit >= 0xdc00 && unit < 0xe000;
}

/* Takes one unit; a high surrogate waits in `held` for the one after it. */
static size_t take_unit(sc3_decoder *d, uint32_t unit, const unsigned char *bytes, char *to) {
  char *out = to;
  if (d->held_count >= 2) {
    uint32_t high = unit_at(d, d->held);
    d->held_count = 0;
    if (is_low(unit))
      return sc3_utf8_encode(0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00), out);
    out += lose(d, out);
  }
  if (is_high(unit)) {
    d->held[0] = bytes[0];
    d->held[1] = bytes[1];
    d->held_count = 2;
  } else {
    out += is_low(unit) ? lose(d, out) : sc3_utf8_encode(unit, out);
  }
  return (size_t)(out - to);
}

static size_t decode_units(sc3_decoder *d, const char *from, size_t n, char *to) {
  char *out = to;
  size_t i = 0;
  if ((d->held_count & 1) != 0 && n > 0) { /* the second byte of a unit */
    unsigned char bytes[2];
    bytes[0] = d->held[--d->held_count];
    bytes[1] = (unsigned char)from[i++];
    out += take_unit(d, unit_at(d, bytes), bytes, out);
  }
  for (; n - i >= 2; i += 2) {
    unsigned char bytes[2]; /* a copy: what is written may come up to what is read */
    uint32_t unit;
    memcpy(bytes, from + i, 2);
    unit = unit_at(d, bytes);
    if (unit < 0x80 && d->held_count == 0)
      *out++ = (char)unit;
    else
      out += take_unit(d, unit, bytes, out);
  }
  if (i < n)
    d->held[d->held_count++] = (unsigned char)from[i];
  return (size_t)(out - to);
}

size_t sc3_decode(sc3_decoder *d, const char *from, size_t n, char *to) {
  if (d->encoding == SC3_ENCODING_UTF16LE || d->encoding == SC3_ENCODING_UTF16BE)
    return decode_units(d, from, n, to);
  return decode_bytes(d, from, n, to);
}

SC3_COLD
size_t sc3_decode_end(sc3_decoder *d, char *to) {
  size_t n = 0;
  if (d->held_count >= 2)
    n += lose(d, to);
  if ((d->held_count & 1) != 0)
    n += lose(d, to + n);
  d->held_count = 0;
  d->utf8_unlike += d->utf8_left > 0;
  d->utf8_left = 0;
  return n;
}

/* --- what should be UTF-8 --- */

/* Bytes that are in no character of UTF-8: what they would be elsewhere. */
SC3_COLD
static void see_others(sc3_utf8_stats *seen, const char *p, size_t n) {
  while (n > 0) {
    uint32_t cp;
    size_t used = sc3_utf8_decode(p, n, &cp);
    if (used == 0) {
      unsigned char c = (unsigned char)*p;
      seen->not_1250 |= encoding_tables[WINDOWS_1250][c & 0x7f] == 0;
      seen->not_1252 |= encoding_tables[WINDOWS_1252][c & 0x7f] == 0;
      used = 1;
    }
    p += used;
    n -= used;
  }
}

int sc3_utf8_stats_add(sc3_utf8_stats *seen, const char *p, size_t n, uint64_t row, uint64_t line) {
  size_t ascii = ascii_run(p, n);
  if (ascii == n)
    return 1;
  if (sc3_utf8_valid(p + ascii, n - ascii)) {
    seen->good++;
    return 1;
  }
  if (seen->rows++ == 0) {
    seen->row = row;
    seen->line = line;
  }
  see_others(seen, p + ascii, n - ascii);
  return 0;
}
