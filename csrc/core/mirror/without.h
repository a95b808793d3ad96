/* Blobs of a state written anew, without people who are to be forgotten. */
#ifndef SC3_MIRROR_WITHOUT_H
#define SC3_MIRROR_WITHOUT_H

#include "chunk.h"
#include "hash_list.h"
#include "members_blob.h"

/* A partition. `w` has the audiences of the state, and owns the new blob. `*gone` counts the
   records that are left out; where there is none, `*out` is as good as the old one. */
sc3_mirror_status sc3_members_without(sc3_members_writer *w, sc3_members_reader *from,
                                      const sc3_hash_list *gone_list, sc3_slice *out,
                                      uint32_t *gone);

/* A chunk. The entries of those people are blanked, and the others keep their numbers: requests
   name them. `w` is empty, and owns the new blob. */
sc3_mirror_status sc3_chunk_without(sc3_chunk_writer *w, sc3_chunk_reader *from,
                                    const sc3_hash_list *gone_list, sc3_slice *out, uint32_t *gone);

#endif
