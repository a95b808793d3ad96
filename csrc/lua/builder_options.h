/* What builder{...} and :columns() take: how values are read, maps, conditions and scripts. */
#ifndef SC3L_BUILDER_OPTIONS_H
#define SC3L_BUILDER_OPTIONS_H

#include "builder.h"

/* Reads the options at index 1 into the new builder at index 2, and gives it its user value. Leaves
 * the builder on top. Raises for what is wrong. */
void sc3l_read_builder_options(lua_State *L, sc3l_builder *u);

/* Reads how values of people are read out of the options at index 1. */
void sc3l_read_reading(lua_State *L, sc3_reading *reading);

/* Gives a builder what looking into records takes, where it has not got it; `values` is the stack
 * index of its user value. */
void sc3l_builder_need_lookup(lua_State *L, sc3l_builder *u, int values);

/* Stack indices. */
typedef struct sc3l_column_arguments {
  int values;          /* the builder's user value */
  int map, conditions; /* arrays, or nil */
} sc3l_column_arguments;

/* Reads the map and the conditions, instead of those before. Counts go on. */
void sc3l_read_columns(lua_State *L, sc3l_builder *u, const sc3l_column_arguments *at);

#endif
