/* Asks for a line of the cache before it is needed, so that nobody waits for it then. What is asked
   for need not be there: nothing comes of that.

   These are macros. To gcc a function that does nothing but this has no effect, and it drops the
   calls of one that it does not inline in time. */
#ifndef SC3_FETCH_H
#define SC3_FETCH_H

#if defined(__GNUC__)
#define SC3_FETCH(p) __builtin_prefetch(p)
#define SC3_FETCH_TO_WRITE(p) __builtin_prefetch(p, 1)
#define SC3_FETCH_TO_WRITE_LATER(p) __builtin_prefetch(p, 1, 2) /* not into the nearest cache */
#else
#define SC3_FETCH(p) ((void)(p))
#define SC3_FETCH_TO_WRITE(p) ((void)(p))
#define SC3_FETCH_TO_WRITE_LATER(p) ((void)(p))
#endif

#endif
