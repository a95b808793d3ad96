/* Prints SipHash-2-4 of the first 0 to 63 of the bytes 0, 1, 2 and so on, by a key of the same; and
 * compares lists of cells with the text that they stand for.   sip_hashes SEED */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../csrc/core/mirror/siphash.h"

enum { VECTORS = 64, LISTS = 20000, CELLS = 6, LONGEST = 40, TEXT = CELLS * (LONGEST + 12) };

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

static int is_alike(sc3_sip_key key) {
  unsigned char text[TEXT], *cells[CELLS];
  const size_t count = (size_t)rand() % (CELLS + 1);
  sc3_sip s = sc3_sip_begin(key);
  size_t at = 0, i, j;
  for (i = 0; i < count; i++) {
    /* Each has a block of its own, so that a sanitizer sees what is read beside it. */
    sc3_slice cell = {NULL, (size_t)rand() % LONGEST};
    cells[i] = malloc(cell.n + 1);
    if (cells[i] == NULL)
      exit(1);
    for (j = 0; j < cell.n; j++)
      cells[i][j] = (unsigned char)rand();
    if (rand() % 8 == 0)
      cell.n = 0;
    else
      cell.p = (const char *)cells[i];
    sc3_sip_cell(&s, cell);
    at = write_cell(text, at, cell);
  }
  for (i = 0; i < count; i++)
    free(cells[i]);
  return sc3_cells_hash(&s) == sc3_siphash(key, sc3_slice_of((const char *)text, at), 1, 3);
}

/* Cells beside memory that cannot be read: an access before or behind one ends the program. */
static void read_at_edges(sc3_sip_key key) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  sc3_sip s = sc3_sip_begin(key);
  size_t n;
  char *memory = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0 ||
      mprotect(memory + 2 * page, page, PROT_NONE) != 0)
    exit(1);
  for (n = 0; n < LONGEST; n++) {
    sc3_sip_cell(&s, sc3_slice_of(memory + page, n));
    sc3_sip_cell(&s, sc3_slice_of(memory + 2 * page - n, n));
    (void)sc3_siphash(key, sc3_slice_of(memory + 2 * page - n, n), 1, 3);
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
  printf("%s\n", i == LISTS ? "the cells are alike" : "a list of cells has another hash");
  return 0;
}
