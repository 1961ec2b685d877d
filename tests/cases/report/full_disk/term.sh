report_make input_bound term >/dev/full
