/* Prints SipHash-2-4 of the first 0 to 63 of the bytes 0, 1, 2 and so on, by a key of the same; and
 * compares rows with the texts that they stand for.   sip_hashes SEED */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../csrc/core/mirror/siphash.h"

enum { VECTORS = 64, LISTS = 20000, CELLS = 6, LONGEST = 40, LONG_ID = 600 };
enum { TEXT = LONG_ID + 20 + CELLS * (LONGEST + 12) };

static void print_vectors(sc3_sip_key key) {
  char bytes[VECTORS];
  size_t n, i;
  for (n = 0; n < VECTORS; n++) {
    uint64_t hash = sc3_siphash(key, sc3_slice_of(bytes, n), 2, 4);
    for (i = 0; i < 8; i++, hash >>= 8)
      printf("%02x", (unsigned)(hash & 255));
    bytes[n] = (char)n;
  }
  printf("\n");
}

static unsigned char *any_bytes(size_t n) {
  /* A block of its own, so that a sanitizer sees what is read beside it. */
  unsigned char *bytes = malloc(n + 1);
  size_t i;
  if (bytes == NULL)
    exit(1);
  for (i = 0; i < n; i++)
    bytes[i] = (unsigned char)rand();
  return bytes;
}

/* The text begins with an id and the version; how long it is then. */
static size_t write_id(unsigned char *text, sc3_slice id, uint64_t version) {
  size_t at = id.n;
  memcpy(text, id.p, id.n);
  for (; at % 8 != 7; at++)
    text[at] = 0;
  text[at++] = (unsigned char)id.n;
  sc3_store64(text + at, version);
  return at + 8;
}

/* Appends a cell to the text; how long it is then. */
static size_t write_cell(unsigned char *text, size_t at, sc3_slice cell) {
  sc3_store32(text + at, cell.p != NULL ? (uint32_t)cell.n : UINT32_MAX);
  at += 4;
  if (cell.n > 0)
    memcpy(text + at, cell.p, cell.n);
  for (at += cell.n; at % 8 != 0; at++)
    text[at] = 0;
  return at;
}

/* The same of a word with the length of bytes, and of these. */
static size_t write_bytes(unsigned char *text, size_t at, sc3_slice bytes) {
  sc3_store64(text + at, bytes.n);
  at += 8;
  if (bytes.n > 0)
    memcpy(text + at, bytes.p, bytes.n);
  for (at += bytes.n; at % 8 != 0; at++)
    text[at] = 0;
  return at;
}

static int is_alike(sc3_sip_key key) {
  unsigned char text[TEXT], *cells[CELLS];
  const size_t count = (size_t)rand() % (CELLS + 1);
  const size_t id_length = (size_t)rand() % (rand() % 8 == 0 ? LONG_ID : LONGEST);
  unsigned char *const bytes = any_bytes(id_length);
  const sc3_slice id = sc3_slice_of((const char *)bytes, id_length);
  const sc3_row_key with = {key, (uint64_t)rand() << 32 | (uint64_t)rand()};
  sc3_sip_row row = sc3_sip_row_begin(&with, id);
  const uint32_t mark = (uint32_t)rand() & 0xffffff;
  size_t at = write_id(text, id, with.version), i;
  sc3_row_hash hash;
  int alike;
  for (i = 0; i < count; i++) {
    sc3_slice cell = {NULL, (size_t)rand() % LONGEST};
    cells[i] = any_bytes(cell.n);
    if (rand() % 8 == 0)
      cell.n = 0;
    else
      cell.p = (const char *)cells[i];
    if (rand() % 4 == 0) {
      sc3_sip_word(&row.s, cell.n);
      sc3_sip_bytes(&row.s, cell);
      at = write_bytes(text, at, cell);
    } else {
      sc3_sip_cell(&row.s, cell);
      at = write_cell(text, at, cell);
    }
  }
  sc3_store32(text + at, (uint32_t)id.n);
  sc3_store32(text + at + 4, mark);
  hash = sc3_sip_row_end(&row, mark);
  alike = hash.id == sc3_siphash(key, id, 1, 3) &&
          hash.cells == sc3_siphash(key, sc3_slice_of((const char *)text, at + 7), 1, 3);
  free(bytes);
  for (i = 0; i < count; i++)
    free(cells[i]);
  return alike;
}

/* Cells beside memory that cannot be read: an access before or behind one ends the program. */
static void read_at_edges(sc3_sip_key key) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  const sc3_row_key with = {key, 0};
  sc3_sip s = sc3_sip_begin(key);
  size_t n;
  char *memory = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0 ||
      mprotect(memory + 2 * page, page, PROT_NONE) != 0)
    exit(1);
  for (n = 0; n < LONGEST; n++) {
    sc3_sip_cell(&s, sc3_slice_of(memory + page, n));
    sc3_sip_cell(&s, sc3_slice_of(memory + 2 * page - n, n));
    sc3_sip_bytes(&s, sc3_slice_of(memory + page, n));
    sc3_sip_bytes(&s, sc3_slice_of(memory + 2 * page - n, n));
    (void)sc3_siphash(key, sc3_slice_of(memory + 2 * page - n, n), 1, 3);
    (void)sc3_sip_row_begin(&with, sc3_slice_of(memory + page, n));
    (void)sc3_sip_row_begin(&with, sc3_slice_of(memory + 2 * page - n, n));
  }
}

int main(int argc, char **argv) {
  unsigned char bytes[SC3_SIP_KEY];
  sc3_sip_key key;
  int i;
  for (i = 0; i < SC3_SIP_KEY; i++)
    bytes[i] = (unsigned char)i;
  key = sc3_sip_read_key(bytes);
  print_vectors(key);
  (void)fflush(stdout);
  read_at_edges(key);
  srand(argc > 1 ? (unsigned)strtoul(argv[1], NULL, 10) : 1);
  for (i = 0; i < LISTS && is_alike(key); i++) {
  }
  printf("%s\n", i == LISTS ? "the rows are alike" : "a row has another hash");
  return 0;
}
