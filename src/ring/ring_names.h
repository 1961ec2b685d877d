/* The names of a mapping, as they appear. */
#ifndef SM_RING_RING_NAMES_H
#define SM_RING_RING_NAMES_H

#include "ring/ring_reader.h"

/* Delivers every name that is in the file now and was not delivered. */
int sm_ring_names_catch_up(struct sm_ring_reader *reader, const struct sm_ring_sink *sink);

#endif
