run_make RUN
stallmeter export RUN --to collapsed
