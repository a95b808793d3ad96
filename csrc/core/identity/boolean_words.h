/* The words of consent: yes and no as people and programs write them. */
#ifndef SC3_BOOLEAN_WORDS_H
#define SC3_BOOLEAN_WORDS_H

#include "../bytes/slice.h"

/* 1 for a yes, 0 for a no, -1 for anything else. In any case (Unicode's lowercase), and `text` has
   no white space round it. The words are those of docs/scripts.md; a word that means yes in one
   language and no in another is neither. */
int sc3_boolean_read(sc3_slice text);

#endif
