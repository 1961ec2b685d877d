report_make input_bound json >/dev/full
