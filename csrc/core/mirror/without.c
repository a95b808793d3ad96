#include "without.h"

sc3_mirror_status sc3_members_without(sc3_members_writer *w, sc3_members_reader *from,
                                      const sc3_hash_list *gone_list, sc3_slice *out,
                                      uint32_t *gone) {
  sc3_mirror_record record;
  sc3_mirror_status status;
  *gone = 0;
  while ((status = sc3_members_next(from, &record)) == SC3_MIRROR_OK && record.id.p != NULL) {
    if (sc3_hash_list_has(gone_list, record.hash))
      ++*gone;
    else
      status = sc3_members_put(w, &record);
    if (status != SC3_MIRROR_OK)
      return status;
  }
  return status == SC3_MIRROR_OK ? sc3_members_end(w, out) : status;
}

sc3_mirror_status sc3_chunk_without(sc3_chunk_writer *w, sc3_chunk_reader *from,
                                    const sc3_hash_list *gone_list, sc3_slice *out,
                                    uint32_t *gone) {
  sc3_mirror_entry entry;
  sc3_mirror_status status;
  *gone = 0;
  while ((status = sc3_chunk_next(from, &entry)) == SC3_MIRROR_OK && entry.id.p != NULL) {
    if (sc3_hash_list_has(gone_list, entry.hash)) {
      ++*gone;
      entry.op = SC3_ENTRY_BLANK;
    }
    status = sc3_chunk_put(w, &entry);
    if (status != SC3_MIRROR_OK)
      return status;
  }
  return status == SC3_MIRROR_OK ? sc3_chunk_end(w, out) : status;
}
