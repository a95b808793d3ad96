/* The version of this library, as of lua/scope3/version.lua: a spec compares them. */
#ifndef SC3L_VERSION_H
#define SC3L_VERSION_H

#define SC3L_VERSION "0.2.0"

#endif
