/* Keeps the module's code in memory beyond the Lua state that loaded it, which unloads it at its
 * end. */
#ifndef SC3_STAY_LOADED_H
#define SC3_STAY_LOADED_H

/* For what calls our code later still: threads and signals. Where the system cannot, nothing
 * changes. */
void sc3_stay_loaded(void);

#endif
