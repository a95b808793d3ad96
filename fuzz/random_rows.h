/* Random rows with every oddity of quoting. A seed gives the same texts by every compiler and on
 * every processor. */
#ifndef RANDOM_ROWS_H
#define RANDOM_ROWS_H

#include "way.h"

enum { RANDOM_ROWS = 200 }; /* lines of a text, about */

void random_rows_seed(uint64_t seed);

/* The next text, and how it is to be read. Its bytes last until the next call. */
void random_rows_next(way_input *input);

/* Whether the sum of all texts is of rows of every kind. Rows that are all refused alike would
 * prove nothing. */
int random_rows_prove(const way_result *sum);

/* Adds the counts of a text. */
void random_rows_add(way_result *sum, const way_result *of_text);

#endif
