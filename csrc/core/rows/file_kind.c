#include "file_kind.h"

#include <string.h>

#include "../bytes/ascii.h"
#include "../bytes/slice.h"

/* Without pointers, which would each cost a relocation. */
typedef struct magic {
  char kind[10];
  signed char
      n; /* negative: a column could be called so, and the bytes after it must not be text */
  char bytes[SC3_MAGIC_MAX];
} magic;

#define MAGIC(kind, bytes)                                                                         \
  { kind, sizeof(bytes) - 1, bytes }
#define WORD(kind, bytes)                                                                          \
  { kind, 1 - (int)sizeof(bytes), bytes }

static const magic magics[] = {
    MAGIC("xz", "\xfd"
                "7zXZ\0"),
    MAGIC("lzma", "\x5d\0\0"),
    WORD("bzip2", "BZh"),
    MAGIC("zstd", "\x28\xb5\x2f\xfd"),
    MAGIC("lz4", "\x04\x22\x4d\x18"),
    MAGIC("lz4", "\x02\x21\x4c\x18"),
    MAGIC("compress", "\x1f\x9d"),
    MAGIC("7z", "7z\xbc\xaf\x27\x1c"),
    MAGIC("rar", "Rar!\x1a\x07"),
    WORD("parquet", "PAR1"),
    WORD("parquet", "PARE"),
    MAGIC("avro", "Obj\x01"),
    WORD("orc", "ORC"),
    WORD("arrow", "ARROW1"),
    WORD("arrow", "FEA1"),
    MAGIC("arrow", "\xff\xff\xff\xff"), /* a stream of Arrow begins so */
    WORD("sqlite", "SQLite format 3"),
    MAGIC("xls", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    MAGIC("xls", "\x09\x08\x10\0\0\x06\x05\0"),
    MAGIC("xls", "\x09\x08\x08\0\0\x05\x05\0"),
    MAGIC("pg_dump", "PGDMP\x01"),
    MAGIC("sql", "-- MySQL dump"),
    MAGIC("sql", "-- MariaDB dump"),
    MAGIC("sql", "-- PostgreSQL database"),
    MAGIC("sql", "--\n-- PostgreSQL "),
    MAGIC("sql", "PRAGMA foreign_keys"),
    MAGIC("vcard", "BEGIN:VCARD"),
    MAGIC("pdf", "%PDF-1."),
    MAGIC("pdf", "%PDF-2."),
    MAGIC("rtf", "{\\rtf"),
    MAGIC("git_lfs", "version https://git-lfs"),
    MAGIC("git_lfs", "version https://hawser"),
    MAGIC("git_annex", "/annex/objects/"),
    MAGIC("age", "age-encryption.org/v1"),
    MAGIC("age", "-----BEGIN AGE"),
    MAGIC("pgp", "-----BEGIN PGP MES"),
    MAGIC("encrypted", "-----BEGIN PKCS7-----"),
    MAGIC("encrypted", "-----BEGIN CMS-----"),
    WORD("encrypted", "Salted__"),
    MAGIC("encrypted", "$ANSIBLE_VAULT;"),
    MAGIC("crc", "crc\0"),
    MAGIC("image", "\x89PNG"),
    WORD("image", "GIF8"),
    MAGIC("image", "\xff\xd8\xff"),
    MAGIC("program", "\x7f"
                     "ELF"),
};

SC3_COLD
static int holds(sc3_slice s, const char *text) {
  const size_t length = strlen(text);
  const char *p = s.p, *const end = s.p + s.n;
  while ((size_t)(end - p) >= length) {
    const char *at = memchr(p, *text, (size_t)(end - p) - length + 1);
    if (at == NULL)
      return 0;
    if (memcmp(at, text, length) == 0)
      return 1;
    p = at + 1;
  }
  return 0;
}

/* Whether bytes stand there that no text holds. */
static int is_binary(sc3_slice s) {
  size_t i;
  for (i = 0; i < s.n; i++) {
    unsigned char c = (unsigned char)s.p[i];
    if (c < 0x20 && (c < '\t' || c > '\r' || c == '\v'))
      return 1;
  }
  return 0;
}

static sc3_slice first_line(sc3_slice s) {
  const char *end = memchr(s.p, '\n', s.n);
  return end != NULL ? sc3_slice_of(s.p, (size_t)(end - s.p)) : s;
}

/* Whether it may be a link to a document of Google's: one object of few keys. */
static int is_link(sc3_slice s) {
  return sc3_slice_begins(s, SC3_LITERAL("{\"url\"")) || sc3_slice_begins(s, SC3_LITERAL("{\"\":"));
}

SC3_COLD
static const char *zip_kind(sc3_slice s) {
  if (holds(s, "application/vnd.oasis.opendocument.spreadsheet"))
    return "ods";
  if (holds(s, "xl/") ||
      (holds(s, "[Content_Types].xml") && !holds(s, "word/") && !holds(s, "ppt/")))
    return "xlsx";
  return "zip";
}

SC3_COLD
static const char *markup_kind(sc3_slice s) {
  static const char *const html[] = {
      "<!doctype html", "<html", "<head", "<body", "<table", "<meta", "<style", "<div", NULL,
  };
  const char *const *tag;
  for (tag = html; *tag != NULL; tag++) {
    if (sc3_ascii_begins(s, *tag))
      return "html";
  }
  if (holds(s, "urn:schemas-microsoft-com:office:spreadsheet") ||
      holds(s, "progid=\"Excel.Sheet\""))
    return "xml_spreadsheet";
  if (holds(s, "<html"))
    return "html";
  if (sc3_slice_begins(s, SC3_LITERAL("<?xml")) || sc3_slice_begins(s, SC3_LITERAL("<!--")) ||
      sc3_ascii_begins(s, "<!doctype"))
    return "xml";
  if (s.n > 1 && sc3_ascii_is_letter(s.p[1])) { /* one tag, alone on its line */
    size_t i = 1;
    while (i < s.n && s.p[i] != '\n' && s.p[i] != '\r' && s.p[i] != '>' && s.p[i] != '@' &&
           s.p[i] != ',')
      i++;
    if (i < s.n && s.p[i] == '>' &&
        (i + 1 == s.n || s.p[i + 1] == '\n' || s.p[i + 1] == '\r' || s.p[i + 1] == '<'))
      return "xml";
  }
  return NULL;
}

/* OpenPGP in binary: a session key for a recipient, or one made from a password. */
SC3_COLD
static int is_pgp(sc3_slice s) {
  const unsigned char *u = (const unsigned char *)s.p;
  if (s.n < 4)
    return 0;
  if (u[0] == 0x8c || u[0] == 0xc3)
    return u[1] < 0x20 && (u[2] == 4 || u[2] == 5);
  return (u[0] == 0x84 && u[2] == 3) || (u[0] == 0x85 && u[3] == 3) ||
         (u[0] == 0xc1 && (u[2] == 3 || u[3] == 3));
}

static int all_nul(sc3_slice s) {
  size_t i = 0;
  while (i < s.n && s.p[i] == '\0')
    i++;
  return s.n > 0 && i == s.n;
}

/* What a text holds after the white space and the byte order mark before it. */
SC3_COLD
static size_t skip_white(sc3_slice s) {
  size_t i = sc3_slice_begins(s, SC3_LITERAL("\xef\xbb\xbf")) ? 3 : 0;
  while (i < s.n && (s.p[i] == ' ' || s.p[i] == '\t' || s.p[i] == '\r' || s.p[i] == '\n'))
    i++;
  return i;
}

SC3_COLD
int sc3_file_kind_waits(sc3_slice s) {
  size_t i, at = skip_white(s);
  if (sc3_slice_begins(s, SC3_LITERAL("PK")) || at == s.n || s.p[at] == '<' ||
      is_link(sc3_slice_from(s, at)) || is_binary(first_line(s)))
    return 1;
  for (i = 0; i < sizeof magics / sizeof magics[0]; i++) {
    if (magics[i].n < 0 && sc3_slice_begins(s, sc3_slice_of(magics[i].bytes, (size_t)-magics[i].n)))
      return 1;
  }
  return 0;
}

/* Archives and databases that do not begin with a word of their own. */
SC3_COLD
static const char *inner_kind(sc3_slice s) {
  const int binary = is_binary(first_line(s));
  if (binary && s.n >= 262 && memcmp(s.p + 257, "ustar", 5) == 0)
    return "tar";
  if (binary && s.n >= 12 && memcmp(s.p + 8, "DUCK", 4) == 0)
    return "duckdb";
  if (sc3_slice_begins(s, SC3_LITERAL("PK\x03\x04")) ||
      sc3_slice_begins(s, SC3_LITERAL("PK\x05\x06")) ||
      sc3_slice_begins(s, SC3_LITERAL("PK\x07\x08")))
    return zip_kind(s);
  if (is_pgp(s))
    return "pgp";
  return all_nul(s) ? "nuls" : NULL;
}

SC3_COLD
const char *sc3_file_kind_of(sc3_slice s) {
  size_t i, at;
  const char *kind;
  s.n = s.n < SC3_SNIFFED_BYTES ? s.n : SC3_SNIFFED_BYTES;
  for (i = 0; i < sizeof magics / sizeof magics[0]; i++) {
    const magic *m = &magics[i];
    const size_t length = (size_t)(m->n < 0 ? -m->n : m->n);
    if (sc3_slice_begins(s, sc3_slice_of(m->bytes, length)) &&
        (m->n > 0 || is_binary(sc3_slice_from(s, length))))
      return m->kind;
  }
  kind = inner_kind(s);
  if (kind != NULL)
    return kind;
  at = skip_white(s);
  if (at < s.n && s.p[at] == '<')
    return markup_kind(sc3_slice_from(s, at));
  return is_link(sc3_slice_from(s, at)) && holds(sc3_slice_from(s, at), "\"doc_id\"") ? "gsheet"
                                                                                      : NULL;
}
