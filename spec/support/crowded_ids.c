/* A table of ids whose last places are all wanted, and each access to which stays inside its
 * memory. Prints what does not hold. The table is compiled with -Drealloc=guarded_realloc. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../csrc/core/members/id_set.h"

enum { IDS = 400, STEP = 143 }; /* without a common factor */

static size_t table_bytes;

void *guarded_realloc(void *old, size_t bytes);

/* Its memory ends where a page begins that nobody may touch. What it adds is not zeros. Nothing is
 * given back. */
void *guarded_realloc(void *old, size_t bytes) {
  const size_t page = (size_t)sysconf(_SC_PAGESIZE), whole = (bytes + page - 1) / page * page;
  unsigned char *start =
      mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  unsigned char *table;
  if (start == MAP_FAILED || mprotect(start + whole, page, PROT_NONE) != 0)
    return NULL;
  table = start + whole - bytes;
  memset(table, 0xff, bytes);
  if (old != NULL)
    memcpy(table, old, table_bytes < bytes ? table_bytes : bytes);
  table_bytes = bytes;
  return table;
}

/* The one that is inserted as the i-th: neither in order nor against it. All belong to the last
 * place of any table. Those between them are not inserted. */
static uint64_t crowded(size_t i) {
  return UINT64_C(0xffffffff) << 24 | (2 * (i * STEP % IDS) + 1);
}

static int holds_the_first(const sc3_id_set *set, size_t count) {
  size_t i;
  for (i = 0; i < IDS; i++) {
    if (sc3_id_set_contains(set, crowded(i)) != (i < count) ||
        sc3_id_set_contains(set, crowded(i) + 1))
      return 0;
  }
  return sc3_id_set_count(set) == count;
}

int main(void) {
  sc3_id_set *set = sc3_id_set_new();
  size_t i;
  if (set == NULL)
    return 2;
  for (i = 0; i < IDS; i++) {
    if (sc3_id_set_insert(set, crowded(i)) != SC3_OK)
      return 2;
    if (!holds_the_first(set, i + 1)) {
      printf("%zu ids are not those that were inserted\n", i + 1);
      return 1;
    }
  }
  return 0;
}
