/* Reads every beginning of a blob, with its checksum made right, where the memory behind it cannot
 * be read: an access there ends the program.   guarded_blobs FILE members|chunk */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../csrc/core/mirror/chunk.h"
#include "../../csrc/core/mirror/members_blob.h"

enum { ROOM = 65536 };

static volatile unsigned touched; /* ids are read to their ends */

static sc3_mirror_status read_members(sc3_slice blob) {
  sc3_members_reader r;
  sc3_mirror_record record;
  sc3_mirror_status status = sc3_members_open(&r, blob, 0, 0, 16);
  while (status == SC3_MIRROR_OK) {
    status = sc3_members_next(&r, &record);
    if (record.id.p == NULL)
      break;
    touched += (unsigned char)record.id.p[record.id.n - 1];
  }
  return status;
}

static sc3_mirror_status read_chunk(sc3_slice blob) {
  sc3_chunk_reader r;
  sc3_mirror_entry entry;
  sc3_mirror_status status = sc3_chunk_open(&r, blob, 16);
  while (status == SC3_MIRROR_OK) {
    status = sc3_chunk_next(&r, &entry);
    if (entry.id.p == NULL)
      break;
  }
  return status;
}

int main(int argc, char **argv) {
  static char bytes[ROOM];
  FILE *file = argc == 3 ? fopen(argv[1], "rb") : NULL;
  char *memory = mmap(NULL, 2 * ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  size_t n, whole, refused = 0;
  if (file == NULL || memory == MAP_FAILED || mprotect(memory + ROOM, ROOM, PROT_NONE) != 0)
    return 2;
  whole = fread(bytes, 1, sizeof bytes, file);
  (void)fclose(file);
  if (whole < SC3_BLOB_FOOT || whole == ROOM)
    return 2;
  whole -= SC3_BLOB_FOOT;
  for (n = 0; n <= whole; n++) {
    sc3_buffer b;
    sc3_slice blob;
    sc3_buffer_init(&b, ROOM);
    if (sc3_buffer_append(&b, bytes, n) != SC3_OK || sc3_blob_seal(&b) != SC3_MIRROR_OK)
      return 2;
    memcpy(memory + ROOM - b.n, b.p, b.n);
    blob = sc3_slice_of(memory + ROOM - b.n, b.n);
    sc3_buffer_free(&b);
    refused += (strcmp(argv[2], "chunk") == 0 ? read_chunk(blob) : read_members(blob)) ==
               SC3_MIRROR_DAMAGED;
  }
  printf("%zu of %zu refused\n", refused, whole + 1);
  return 0;
}
