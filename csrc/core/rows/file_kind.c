#include "file_kind.h"

#include <string.h>

#include "../bytes/slice.h"

/* Without pointers, which would each cost a relocation. */
typedef struct magic {
  char kind[10];
  signed char
      n; /* negative: a column could be called so, and the bytes behind it must not be text */
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

static int begins(const char *p, size_t n, const char *bytes, size_t length) {
  return n >= length && memcmp(p, bytes, length) == 0;
}

SC3_COLD
static int holds(const char *p, size_t n, const char *text) {
  const size_t length = strlen(text);
  const char *const end = p + n;
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

/* Whether the text begins with these words in lowercase, whatever their case is. */
static int begins_in_any_case(const char *p, size_t n, const char *words) {
  size_t i;
  for (i = 0; words[i] != '\0'; i++) {
    if (i == n || (p[i] >= 'A' && p[i] <= 'Z' ? p[i] - 'A' + 'a' : p[i]) != words[i])
      return 0;
  }
  return 1;
}

/* Whether bytes stand there that no text holds. */
static int is_binary(const char *p, size_t n) {
  size_t i;
  for (i = 0; i < n; i++) {
    unsigned char c = (unsigned char)p[i];
    if (c < 0x20 && (c < '\t' || c > '\r' || c == '\v'))
      return 1;
  }
  return 0;
}

static size_t first_line(const char *p, size_t n) {
  const char *end = memchr(p, '\n', n);
  return end != NULL ? (size_t)(end - p) : n;
}

/* Whether it may be a link to a document of Google's: one object of few keys. */
static int is_link(const char *p, size_t n) {
  return begins(p, n, "{\"url\"", 6) || begins(p, n, "{\"\":", 4);
}

SC3_COLD
static const char *zip_kind(const char *p, size_t n) {
  if (holds(p, n, "application/vnd.oasis.opendocument.spreadsheet"))
    return "ods";
  if (holds(p, n, "xl/") ||
      (holds(p, n, "[Content_Types].xml") && !holds(p, n, "word/") && !holds(p, n, "ppt/")))
    return "xlsx";
  return "zip";
}

SC3_COLD
static const char *markup_kind(const char *p, size_t n) {
  static const char *const html[] = {
      "<!doctype html", "<html", "<head", "<body", "<table", "<meta", "<style", "<div", NULL,
  };
  const char *const *tag;
  for (tag = html; *tag != NULL; tag++) {
    if (begins_in_any_case(p, n, *tag))
      return "html";
  }
  if (holds(p, n, "urn:schemas-microsoft-com:office:spreadsheet") ||
      holds(p, n, "progid=\"Excel.Sheet\""))
    return "xml_spreadsheet";
  if (holds(p, n, "<html"))
    return "html";
  if (begins(p, n, "<?xml", 5) || begins(p, n, "<!--", 4) || begins_in_any_case(p, n, "<!doctype"))
    return "xml";
  if (n > 1 && ((p[1] >= 'a' && p[1] <= 'z') ||
                (p[1] >= 'A' && p[1] <= 'Z'))) { /* one tag, alone on its line */
    size_t i = 1;
    while (i < n && p[i] != '\n' && p[i] != '\r' && p[i] != '>' && p[i] != '@' && p[i] != ',')
      i++;
    if (i < n && p[i] == '>' &&
        (i + 1 == n || p[i + 1] == '\n' || p[i + 1] == '\r' || p[i + 1] == '<'))
      return "xml";
  }
  return NULL;
}

/* OpenPGP in binary: a session key for somebody, or one made from a password. */
SC3_COLD
static int is_pgp(const char *p, size_t n) {
  const unsigned char *u = (const unsigned char *)p;
  if (n < 4)
    return 0;
  if (u[0] == 0x8c || u[0] == 0xc3)
    return u[1] < 0x20 && (u[2] == 4 || u[2] == 5);
  return (u[0] == 0x84 && u[2] == 3) || (u[0] == 0x85 && u[3] == 3) ||
         (u[0] == 0xc1 && (u[2] == 3 || u[3] == 3));
}

static int all_nul(const char *p, size_t n) {
  size_t i = 0;
  while (i < n && p[i] == '\0')
    i++;
  return n > 0 && i == n;
}

/* What a text holds behind the white space and the byte order mark before it. */
SC3_COLD
static size_t text_begins(const char *p, size_t n) {
  size_t i = begins(p, n, "\xef\xbb\xbf", 3) ? 3 : 0;
  while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n'))
    i++;
  return i;
}

SC3_COLD
int sc3_file_kind_waits(const char *p, size_t n) {
  size_t i, at = text_begins(p, n);
  if (begins(p, n, "PK", 2) || at == n || p[at] == '<' || is_link(p + at, n - at) ||
      is_binary(p, first_line(p, n)))
    return 1;
  for (i = 0; i < sizeof magics / sizeof magics[0]; i++) {
    if (magics[i].n < 0 && begins(p, n, magics[i].bytes, (size_t)-magics[i].n))
      return 1;
  }
  return 0;
}

/* Archives and databases that do not begin with a word of their own. */
SC3_COLD
static const char *inner_kind(const char *p, size_t n) {
  const int binary = is_binary(p, first_line(p, n));
  if (binary && n >= 262 && memcmp(p + 257, "ustar", 5) == 0)
    return "tar";
  if (binary && n >= 12 && memcmp(p + 8, "DUCK", 4) == 0)
    return "duckdb";
  if (begins(p, n, "PK\x03\x04", 4) || begins(p, n, "PK\x05\x06", 4) ||
      begins(p, n, "PK\x07\x08", 4))
    return zip_kind(p, n);
  if (is_pgp(p, n))
    return "pgp";
  return all_nul(p, n) ? "nuls" : NULL;
}

SC3_COLD
const char *sc3_file_kind_of(const char *p, size_t n) {
  size_t i, at;
  const char *kind;
  n = n < SC3_LOOKED_AT ? n : SC3_LOOKED_AT;
  for (i = 0; i < sizeof magics / sizeof magics[0]; i++) {
    const magic *m = &magics[i];
    const size_t length = (size_t)(m->n < 0 ? -m->n : m->n);
    if (begins(p, n, m->bytes, length) && (m->n > 0 || is_binary(p + length, n - length)))
      return m->kind;
  }
  kind = inner_kind(p, n);
  if (kind != NULL)
    return kind;
  at = text_begins(p, n);
  if (at < n && p[at] == '<')
    return markup_kind(p + at, n - at);
  return is_link(p + at, n - at) && holds(p + at, n - at, "\"doc_id\"") ? "gsheet" : NULL;
}
