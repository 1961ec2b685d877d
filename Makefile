# What a person does with this checkout. The build itself is meson's (CONTRIBUTING.md); everything here is a name for a
# script, so that each also runs alone.

SECONDS ?= 900 # of fuzzing, per target: an hour for the four of them

help:
	@echo "make demo     train on real photographs under 'stallmeter run', and look at the verdict"
	@echo "make test     every test; the last line is 'N passed, N failed'  (SUITES='unit python' for some)"
	@echo "make bench    the table of what stallmeter costs"
	@echo "make lint     format, warnings of two compilers, clang-tidy, ruff, mypy"
	@echo "make fuzz     every parser of outside bytes under libFuzzer  (SECONDS=$(strip $(SECONDS)) a target)"
	@echo "make nightly  the tests with long crash runs, then fuzz"
	@echo "make clean    remove builds, environments and demo data"

demo:
	tools/demo.sh
test:
	python3 tests/run.py $(SUITES)
bench:
	python3 bench/run.py
lint:
	python3 tools/lint.py
fuzz:
	python3 tools/fuzz.py --seconds $(SECONDS)
nightly:
	python3 tests/run.py --nightly
	python3 tools/fuzz.py --seconds $(SECONDS)
clean:
	rm -rf build build-* .venv-* data dist

.PHONY: help demo test bench lint fuzz nightly clean
