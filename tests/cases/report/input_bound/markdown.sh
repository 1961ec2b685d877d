report_make input_bound md
