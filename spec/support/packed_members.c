/* Packs each member of a file, and unpacks what came of it.   packed_members FILE
 *
 * The file has members, each behind its length in four bytes, the lowest first. So has the output,
 * which has two texts for each: the packed member and its JSON. Both are empty where the member has
 * another form. It ends with 3 where a packed member that is cut short is read as one. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../csrc/core/bytes/little.h"
#include "../../csrc/core/members/packed.h"

static void say(const char *bytes, size_t n) {
  unsigned char head[4];
  sc3_store32(head, (uint32_t)n);
  if (fwrite(head, 1, sizeof head, stdout) != sizeof head || fwrite(bytes, 1, n, stdout) != n)
    exit(2);
}

/* Memory of exactly that size, so that a sanitizer sees what passes its end. */
static char *memory(size_t n) {
  char *p = malloc(n > 0 ? n : 1);
  if (p == NULL)
    exit(2);
  return p;
}

/* Reads every beginning of a packed member. It is one from where its list of universal ids begins,
 * and without such a list only the whole is. */
static void cut(sc3_slice packed) {
  sc3_packed parts;
  size_t n, least;
  if (!sc3_packed_read(packed, &parts))
    exit(2);
  least = packed.n - parts.uids.n;
  for (n = 0; n <= packed.n; n++) {
    char *some = memory(n);
    if (n > 0)
      memcpy(some, packed.p, n);
    if (sc3_packed_read(sc3_slice_of(some, n), &parts) != (n >= least) ||
        (n >= least && parts.uids.n != n - least))
      exit(3);
    free(some);
  }
}

static void pack(sc3_slice member) {
  sc3_packed parts;
  const size_t n = sc3_packed_of(member, &parts);
  char *packed = memory(n), *json = NULL;
  size_t size = 0;
  if (n > 0) {
    sc3_packed_write(&parts, packed);
    cut(sc3_slice_of(packed, n));
    if (!sc3_packed_read(sc3_slice_of(packed, n), &parts))
      exit(2);
    size = sc3_packed_json_size(&parts);
    json = memory(size);
    sc3_packed_unpack(&parts, json);
  }
  say(packed, n);
  say(json != NULL ? json : "", size);
  free(packed);
  free(json);
}

int main(int argc, char **argv) {
  FILE *file = argc == 2 ? fopen(argv[1], "rb") : NULL;
  unsigned char head[4];
  if (file == NULL)
    return 2;
  while (fread(head, 1, sizeof head, file) == sizeof head) {
    const size_t n = sc3_load32(head);
    char *member = memory(n);
    if (fread(member, 1, n, file) != n)
      return 2;
    pack(sc3_slice_of(member, n));
    free(member);
  }
  (void)fclose(file);
  return fflush(stdout) == 0 ? 0 : 2;
}
