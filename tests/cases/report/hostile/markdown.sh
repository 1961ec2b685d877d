report_make hostile md
