/* What the bindings of csrc/core/mirror have in common. */
#ifndef SC3L_MIRROR_H
#define SC3L_MIRROR_H

#include "../core/mirror/siphash.h"
#include "../core/mirror/stage.h"
#include "compat.h"

/* Begins each userdata of a mirror. Making a text may run finalizers, and one of them may close the
 * object that the text lies in: it is freed after that. */
typedef struct sc3l_mirror {
  void *object; /* NULL = closed */
  void (*free_object)(void *object);
  int reads; /* calls that look at its bytes */
  int ended;
  int lost; /* something was taken out and did not reach Lua: nothing more is given */
} sc3l_mirror;

/* The object of the userdata at 1; raises where it is closed. */
void *sc3l_check_mirror(lua_State *L, const char *type, const char *what);

/* The same at `index`, and the userdata itself. */
void *sc3l_use_mirror(lua_State *L, int index, const char *type, const char *what,
                      sc3l_mirror **mirror);

/* While a call of another object works with it: closing it frees nothing, and other calls find it
   closed. For good, where the call did not end well: something may be lost. Never raise. */
void sc3l_hold_mirror(sc3l_mirror *u);
void sc3l_leave_mirror(sc3l_mirror *u, int well);

/* Frees what the userdata at 1 has, when nothing reads it. */
int sc3l_end_mirror(lua_State *L, const char *type);

/* Pushes the function that sc3l_copy_text() calls. Before the core is called, because it may raise.
 */
void sc3l_push_copier(lua_State *L);

/* Takes that function off and pushes a text which lies in `of`; raises when memory is out. Between
   `lost` set before and cleared behind it, nothing is passed over in silence. */
void sc3l_copy_text(lua_State *L, sc3l_mirror *of, sc3_slice text);

/* true; or nil, a message and "damaged", "full", "io", "forked" or "too_large". Raises what only a
   wrong call or a lack of memory can bring. */
int sc3l_push_mirror_status(lua_State *L, sc3_mirror_status status);

/* Pushes nil and what follows it, as above, and answers 0; 1 where all is well. */
int sc3l_mirror_is_well(lua_State *L, sc3_mirror_status status);

/* A whole number at `index` from `least` to `most`; raises for others. */
uint64_t sc3l_check_whole(lua_State *L, int index, double least, double most);

/* The same in `field` of the table at `index`. */
uint64_t sc3l_opt_whole(lua_State *L, int index, const char *field, double least, double most,
                        double absent);

/* `parts`, `audiences` and `folder` of the options at 1. */
unsigned sc3l_check_parts(lua_State *L);
unsigned sc3l_check_audiences(lua_State *L);
const char *sc3l_check_folder(lua_State *L);

/* The number of a partition, from 0, at `index`. */
size_t sc3l_check_part(lua_State *L, int index, unsigned bits);

/* 16 bytes at `index`, which may be a field's. */
sc3_sip_key sc3l_check_key(lua_State *L, int index);

/* The night, the chunk or the list at `index`; raises where it is closed. */
struct sc3_night *sc3l_use_night(lua_State *L, int index, sc3l_mirror **mirror,
                                 unsigned *audiences);
sc3_chunk_writer *sc3l_use_chunk(lua_State *L, int index, sc3l_mirror **mirror);
sc3_again_list *sc3l_use_list(lua_State *L, int index, sc3l_mirror **mirror);

/* A text of 8 bytes for each 64-bit number: no Lua loses a bit of it. */
void sc3l_push_hash(lua_State *L, uint64_t hash);
uint64_t sc3l_check_hash(lua_State *L, int index);

/* Packed members or entries at `index`: a text, or a view. */
sc3_slice sc3l_check_blob(lua_State *L, int index);

/* An id at `index`; raises where it is empty or longer than the format allows. */
sc3_slice sc3l_check_id(lua_State *L, int index);

/* The list at `index` of what became of a chunk's entries, as { first, last, outcome, refused,
   again }. It lies in a userdata that is pushed. */
const sc3_outcome_range *sc3l_check_outcomes(lua_State *L, int index, size_t *count);

/* The parts of core.mirror, which is on top of the stack. */
void sc3l_open_mirror_chunk(lua_State *L);
void sc3l_open_mirror_fold(lua_State *L);
void sc3l_open_mirror_list(lua_State *L);
void sc3l_open_mirror_night(lua_State *L);
void sc3l_open_mirror_view(lua_State *L);
void sc3l_open_mirror_without(lua_State *L);

#endif
