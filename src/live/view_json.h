/* A view as one line of JSON, schema `stallmeter/top/1`: names and units as in report.json, null where nothing is known. */
#ifndef SM_LIVE_VIEW_JSON_H
#define SM_LIVE_VIEW_JSON_H

#include "live/view.h"

int sm_view_json(const struct sm_view *view, FILE *out); /* 0 or -EIO */

#endif
