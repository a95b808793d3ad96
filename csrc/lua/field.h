/* Single values between Lua and the core: numbers, and the fields of records. */
#ifndef SC3L_FIELD_H
#define SC3L_FIELD_H

#include "../core/bytes/number.h"
#include "../core/rows/record.h"
#include "compat.h"

/* Pushes a number: an integer where Lua has them and it is written as one. */
void sc3l_push_number(lua_State *L, const sc3_number *number);

/* Reads the number on top of the stack. */
sc3_number sc3l_to_number(lua_State *L);

/* Writes the number on top of the stack, an exact integer as digits only. Returns its bytes. */
size_t sc3l_write_number(lua_State *L, char out[SC3_NUMBER_TEXT]);

/* Pushes the value of a field: text as a string, a number where it is exact (else its text), true,
   false or nil. Nested JSON goes through the function at the stack index `decode`; 0 = as text.
   Returns 0, or not 0 with the function's error pushed instead. */
int sc3l_push_field(lua_State *L, const sc3_field *f, int decode);

/* Reads the value on top of the stack into a field without a name. A table or a function becomes
   SC3_KIND_NESTED without text. The text of a string lives as long as Lua holds it; that of a
   number lies in `number`. */
void sc3l_read_field(lua_State *L, sc3_field *f, char number[SC3_NUMBER_TEXT]);

#endif
