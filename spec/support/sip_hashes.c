/* Prints SipHash-2-4 of the first 0 to 63 of the bytes 0, 1, 2 and so on, by a key of the same; and
 * compares hashes of rows and texts with sums by other arithmetic.   sip_hashes SEED */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../csrc/core/mirror/row_hash.h"

enum { VECTORS = 64, LISTS = 20000, CELLS = 6, SHORT = 40, LONG = 2500 };
enum { WORDS = 2 + CELLS * (2 + LONG / 8 + 2) };

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

/* --- a row once more, by sums of halves of words --- */

typedef struct pairs {
  uint64_t words[WORDS];
  size_t n;
} pairs;

static void add_pair(pairs *p, uint64_t a, uint64_t b) {
  p->words[p->n++] = a;
  p->words[p->n++] = b;
}

static uint64_t word_of(sc3_slice bytes, size_t at, size_t n) {
  uint64_t word = 0;
  while (n-- > 0)
    word = word << 8 | (unsigned char)bytes.p[at + n];
  return word;
}

static void add_bytes(pairs *p, sc3_slice bytes) {
  size_t at = 0;
  for (; at + 16 < bytes.n; at += 16)
    add_pair(p, word_of(bytes, at, 8), word_of(bytes, at + 8, 8));
  if (bytes.n >= 8)
    add_pair(p, word_of(bytes, bytes.n >= 16 ? bytes.n - 16 : 0, 8),
             word_of(bytes, bytes.n - 8, 8));
  else if (bytes.n > 0)
    add_pair(p, word_of(bytes, 0, bytes.n), 0);
}

/* sum += a * b << 32 * shift, in limbs of 32 bits */
static void add_product(uint32_t sum[4], uint32_t a, uint32_t b, int shift) {
  uint64_t rest = (uint64_t)a * b;
  for (; shift < 4; shift++) {
    rest += sum[shift];
    sum[shift] = (uint32_t)rest;
    rest >>= 32;
  }
}

static void multiply(uint32_t sum[4], uint64_t a, uint64_t b) {
  add_product(sum, (uint32_t)a, (uint32_t)b, 0);
  add_product(sum, (uint32_t)(a >> 32), (uint32_t)b, 1);
  add_product(sum, (uint32_t)a, (uint32_t)(b >> 32), 1);
  add_product(sum, (uint32_t)(a >> 32), (uint32_t)(b >> 32), 2);
}

static void sum_block(const sc3_nh_key *key, const uint64_t *words, size_t n, uint64_t out[2]) {
  uint32_t sum[4] = {0, 0, 0, 0};
  size_t i;
  for (i = 0; i < n; i += 2) {
    const uint64_t a = words[i] + key->words[i], b = words[i + 1] + key->words[i + 1];
    multiply(sum, a, b);
  }
  out[0] = sum[0] | (uint64_t)sum[1] << 32;
  out[1] = sum[2] | (uint64_t)sum[3] << 32;
}

static uint64_t hash_pairs(const sc3_row_key *key, uint64_t seed, const pairs *p) {
  size_t i;
  for (i = 0; i < p->n; i += SC3_NH_WORDS) {
    uint32_t product[4] = {0, 0, 0, 0};
    uint64_t sum[2];
    sum_block(&key->nh, p->words + i, p->n - i < SC3_NH_WORDS ? p->n - i : SC3_NH_WORDS, sum);
    multiply(product, sum[0] ^ seed, sum[1] ^ key->nh.fold);
    seed = (product[0] | (uint64_t)product[1] << 32) ^ (product[2] | (uint64_t)product[3] << 32);
  }
  return seed;
}

static int is_alike(sc3_sip_key from) {
  static pairs p;
  unsigned char *cells[CELLS];
  const size_t count = (size_t)rand() % (CELLS + 1);
  const size_t id_length = (size_t)rand() % (rand() % 8 == 0 ? LONG : SHORT);
  unsigned char *const bytes = any_bytes(id_length);
  const sc3_slice id = sc3_slice_of((const char *)bytes, id_length);
  const uint64_t first = (uint64_t)rand() << 40 | (uint64_t)rand();
  const uint32_t mark = (uint32_t)rand() & 0xffffff;
  sc3_row_key key;
  sc3_row_hasher row;
  sc3_row_hash hash;
  size_t i;
  int alike;
  sc3_row_key_init(&key, from, id);
  row = sc3_row_begin(&key, id, first, mark);
  p.n = 0;
  add_pair(&p, first, sc3_siphash(from, id, 1, 3) + mark);
  for (i = 0; i < count; i++) {
    sc3_slice cell = {NULL, (size_t)rand() % (rand() % 8 == 0 ? LONG : SHORT)};
    cells[i] = any_bytes(cell.n);
    if (rand() % 8 == 0)
      cell.n = 0;
    else
      cell.p = (const char *)cells[i];
    sc3_row_cell(&row, i, cell);
    add_pair(&p, i, cell.p != NULL ? cell.n : UINT64_MAX);
    add_bytes(&p, cell);
  }
  hash = sc3_row_end(&row);
  alike = hash.id == sc3_siphash(from, id, 1, 3) && hash.cells == hash_pairs(&key, hash.id, &p);
  p.n = 0;
  add_pair(&p, id.n, 0);
  add_bytes(&p, id);
  alike = alike && sc3_text_hash(&key, id) == hash_pairs(&key, 0, &p);
  free(bytes);
  for (i = 0; i < count; i++)
    free(cells[i]);
  return alike;
}

/* Cells beside memory that cannot be read: an access before or behind one ends the program. */
static void read_at_edges(sc3_sip_key key) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE);
  sc3_row_key with;
  volatile uint64_t taken; /* so that nothing is left out as useless */
  size_t n;
  char *memory = mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(memory, page, PROT_NONE) != 0 ||
      mprotect(memory + 2 * page, page, PROT_NONE) != 0)
    exit(1);
  sc3_row_key_init(&with, key, sc3_slice_of("", 0));
  for (n = 0; n < SHORT; n++) {
    const sc3_slice begins = sc3_slice_of(memory + page, n),
                    ends = sc3_slice_of(memory + 2 * page - n, n);
    taken = sc3_text_hash(&with, begins);
    taken = sc3_text_hash(&with, ends);
    taken = sc3_siphash(key, begins, 1, 3);
    taken = sc3_siphash(key, ends, 1, 3);
  }
  (void)taken;
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
