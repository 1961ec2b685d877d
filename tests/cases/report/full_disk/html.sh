report_make input_bound html >/dev/full
