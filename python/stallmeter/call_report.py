"""The pages of PreprocessingProfiler: what was measured, put in order. Nothing is computed here."""

from . import _read
from .call_profile import rate_words

KIND = "Preprocessing"
SHOWN = 0.05  # severity from which a finding is told first


def seconds(value):
    if value is None:
        return "not measured"
    for unit, name in ((1, "s"), (1e-3, "ms"), (1e-6, "us")):
        if value >= unit:
            return f"{value / unit:.3g} {name}"
    return f"{value / 1e-9:.3g} ns"


def size(value):
    if value is None:
        return "not measured"
    for unit, name in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if value >= unit:
            return f"{value / unit:.3g} {name}"
    return f"{value:.0f} B"


def share(value):
    return "not measured" if value is None else f"{value:.0%}"


def number(value, form=".3g"):
    return "not measured" if value is None else format(value, form)


def between(times, form=seconds):
    ends = [times[key] for key in ("low_s", "high_s")]
    told = form(times["mean_s"])
    return told if None in ends else f"{told} ({form(ends[0])} to {form(ends[1])})"


def _verdict(page, trees):
    findings = sorted((finding for tree in trees for finding in tree["findings"]), key=lambda found: -(found["severity"] or 0))
    if not any(tree["calls"] for tree in trees):
        page.verdict("NOT MEASURED", "No call could be timed.", "unsure")
    elif not findings:
        page.verdict("NOTHING FOUND", "No rule found a part of the time that could be had back.", "fine")
    else:
        # That it computes is said only where there is nothing that is more to the point.
        first = next((found for found in findings if found["id"] != "SM201" and found["severity"] >= SHOWN), findings[0])
        told = f"{first['title']}: {first['where']['name']}. Mending it takes {first['severity']:.0%} off a call."
        if first["id"] == "SM201":
            told = f"{first['where']['name']} computes: CPU work that has no other name is {first['severity']:.0%} of a call."
        page.verdict(first["type"], told, "bound" if first["severity"] >= 0.2 else "partly")


def page_of_profile(tree):
    page = _read.Page(tree["name"], KIND)
    _verdict(page, [tree])
    _performance(page, tree)
    if tree["kind"] == "function":
        _memory_and_io(page, tree)
        _members(page, tree)
        _algorithm(page, tree)
        _caching(page, tree)
        _device(page, tree)
    _findings(page, [tree])
    _reasons(page, [tree])
    return page


def page_of(profiler):
    functions = [profile.to_dict() for profile in profiler.profiles]
    batches = [profile.to_dict() for profile in profiler.batch_profiles]
    names = list(dict.fromkeys(tree["name"] for tree in functions + batches))
    page = _read.Page(", ".join(names) or "nothing profiled", KIND)
    if not names:
        page.verdict("NOT MEASURED", "Nothing was profiled yet.", "unsure")
        return page
    _verdict(page, functions or batches)
    if len(functions) > 1:
        _functions(page, functions)
    for tree in functions:
        _performance(page, tree, heading=f"Function performance: {tree['name']}")
        _memory_and_io(page, tree)
        _members(page, tree)
        _algorithm(page, tree)
        _caching(page, tree)
        _device(page, tree)
    _batches(page, batches)
    _optimal(page, profiler)
    # One of the batch sizes is enough: the table has them all.
    _findings(page, functions + next(([tree] for tree in batches if tree["findings"]), batches[:1]))
    _applied(page, profiler)
    _reasons(page, functions + batches)
    return page


def _functions(page, trees):
    page.heading("Functions")
    page.table(["function", "where", "calls", "time per call, s", "CPU in Python", "findings"],
               [[tree["name"], tree["where"] or "native", tree["calls"], _interval(tree["time"]),
                 share(tree["cpu"].get("python_share")), _types(tree)]
                for tree in trees])


def _types(tree):
    return ", ".join(found["type"] for found in tree["findings"]) or "none"


def _interval(times):
    return times["mean_s"], times["low_s"], times["high_s"]


def _performance(page, tree, heading="Function performance"):
    page.heading(heading)
    cpu, times = tree["cpu"], tree["time"]
    given = "one sample a call" if tree["per_sample"] else "the data whole"
    pairs = [("Where", tree["where"] or "native code"), ("Calls timed", f"{tree['calls']}, {given}"),
             ("Time per call", between(times)),
             ("Median, 99th percentile", f"{seconds(times['p50_s'])}, {seconds(times['p99_s'])}")]
    if tree.get("first_call_s") is not None:
        pairs.append(("First call, not counted", seconds(tree["first_call_s"])))
    if tree["samples_per_s"]:
        pairs.append(("Samples a second", rate_words(tree["samples_per_s"]["mean"])))
    pairs += [("CPU of its thread", seconds(cpu["cpu_s"])), ("CPU of helper threads", seconds(cpu["helper_cpu_s"])),
              ("Waiting for a CPU", seconds(cpu["run_delay_s"])), ("Blocked", seconds(cpu["blocked_s"]))]
    if cpu.get("python_share") is not None:
        pairs.append(("CPU in the interpreter", f"{share(cpu['python_share'])} of {number(cpu['looks'], '.0f')} looks"))
    page.facts(pairs)
    if tree.get("lines"):
        page.table(["line", "runs in that call", "of the followed time"],
                   [[line["where"], int(line["runs"]), share(line["share"])] for line in tree["lines"]],
                   note="One call was followed line by line, beside the timed ones, on a part of the input where the whole "
                        "takes too long; following costs about a microsecond a line.")


def _memory_and_io(page, tree):
    memory, io = tree["memory"] or {}, tree["io"] or {}
    page.heading("Memory and input")
    pairs = [("Input, output", f"{size(memory.get('input_bytes'))}, {size(memory.get('output_bytes'))}"),
             ("Held at most in a call", size(memory.get("allocated_bytes"))),
             ("Small pages of fresh memory", size(memory.get("faulted_bytes"))),
             ("Minor page faults a call", number(memory.get("minor_faults"), ".0f")),
             ("Major page faults a call", number(io.get("major_faults"), ".0f")),
             ("A minor page fault costs here", seconds(memory.get("fault_s"))),
             ("Read from storage a call", size(io.get("read_bytes")))]
    if io.get("waits"):
        waits = [f"{name} {count:.0f}" for name, count in io["waits"].items() if count]
        pairs.append(("Found waiting for", ", ".join(waits) or "nothing"))
    page.facts(pairs)


def _members(page, tree):
    if not tree["members"]:
        return
    page.heading("Members, in order")
    whole = sum(member["time"]["mean_s"] or 0 for member in tree["members"]) or 1
    page.table(["member", "where", "time per call, s", "share", "findings"],
               [[member["name"], member["where"] or "native", _interval(member["time"]),
                 share((member["time"]["mean_s"] or 0) / whole), _types(member)]
                for member in tree["members"]],
               note="Each on what the members before it hand over.")


def _algorithm(page, tree):
    page.heading("Algorithm efficiency")
    scaling = tree.get("scaling")
    if scaling is None:
        page.text(f"How its time grows with its input was not measured: {_reason(tree, 'growth with the input')}.")
    else:
        page.facts([("Growth with the input's size", f"size to the power {number(scaling['exponent'])} "
                     f"({number(scaling['low'])} to {number(scaling['high'])}); a single pass is 1")])
        page.chart("Time per call over input size", "size", "seconds",
                   [("measured", [(row["size"], row["mean_s"]) for row in scaling["sizes"]])])
    library = tree.get("library") or {}
    if library.get("name"):
        page.text(f"Of a followed call, {share(library['share'])} was in {library['name']}.")
    if tree.get("other_order"):
        page.text(f"With {tree['other_order']['first']} first, a call takes {seconds(tree['other_order']['call_s'])}.")


def _caching(page, tree):
    page.heading("Caching effectiveness")
    caching = tree.get("caching")
    if caching is None:
        page.text(f"Not measured: {_reason(tree, 'caching')}.")
        return
    page.facts([("Inputs looked through", str(caching["inputs"])),
                ("That had been there before", share(caching["repeated_share"])),
                (f"Hits of a cache of {caching['cache_size']}", share(caching["hit_share"])),
                ("Same result for the same input", "yes, run twice" if caching["deterministic"] else "no"),
                ("Memory of the cache", size(caching["cache_bytes"])), ("Recognising an input", seconds(caching["lookup_s"])),
                ("An input computed", seconds(caching["input_s"])),
                ("Saved over these inputs", "nothing: results differ" if caching["saved_s"] is None else
                 seconds(caching["saved_s"]) if caching["saved_s"] > 0 else "nothing")])


def _device(page, tree):
    page.heading("Device use")
    device = tree.get("device")
    if device is None:
        page.text(f"Not measured: {_reason(tree, 'device')}.")
    else:
        page.facts([("Device", device["name"]), ("A call on it, copies included", seconds(device["call_s"])),
                    ("A call on the CPU", seconds(tree["time"]["mean_s"]))])


def _reason(tree, what):
    return next((entry["why"] for entry in tree["not_measured"] if entry["what"].startswith(what)), "it was not looked at")


def _batches(page, trees):
    page.heading("Batch size optimization")
    if not trees:
        page.text("Not measured: profile_batch_preprocessing() tries batch sizes.")
        return
    measured = [tree for tree in trees if tree["samples_per_s"]]
    rates = [tree["samples_per_s"] for tree in measured]
    chosen = _read.choose([(tree["batch_size"], rate["mean"], rate["low"], rate["high"])
                           for tree, rate in zip(measured, rates, strict=True)])
    page.table(["batch size", "calls", "time per call, s", "samples a second", "input", "output", "failed"],
               [[tree["batch_size"], tree["calls"], _interval(tree["time"]),
                 tuple(tree["samples_per_s"].values()) if tree["samples_per_s"] else None,
                 size(tree["memory"]["input_bytes"]), size(tree["memory"]["output_bytes"]),
                 tree["errors"][0]["error"] if tree["errors"] else ""] for tree in trees],
               best=trees.index(measured[chosen]) if chosen >= 0 else -1,
               note="Marked: the smallest that noise cannot tell from the best. Sizes were called in turns.")
    if measured:
        page.chart("Samples a second over batch size", "batch size", "samples per second",
                   [(trees[0]["name"], [(tree["batch_size"], rate["mean"], rate["low"], rate["high"])
                                        for tree, rate in zip(measured, rates, strict=True)])],
                   best=measured[chosen]["batch_size"] if chosen >= 0 else None)


def _optimal(page, profiler):
    page.heading("Recommended")
    optimal = profiler.get_optimal_preprocessing_config().to_dict()
    page.facts([("Batch size", str(optimal["batch_size"] or "not chosen")),
                ("Cache", f"{optimal['cache_entries']} results" if optimal["cache"] else "none"),
                ("Samples a second to expect", rate_words(optimal["samples_per_s"])),
                ("How sure", optimal["confidence"])])
    page.text(" ".join(optimal["why"]))


def _findings(page, trees):
    page.heading("Findings")
    found = [finding for tree in trees for finding in tree["findings"]]
    for finding in sorted(found, key=lambda finding: -(finding["severity"] or 0)):
        page.finding(finding)
    if not found:
        page.text("None. Rules that looked and found nothing: "
                  + (", ".join(sorted({rule for tree in trees for rule in tree["passed"]})) or "none") + ".")


def _value_first(interval):
    low, value, high = interval
    return value, low, high


def _applied(page, profiler):
    if profiler.optimizations:
        page.heading("What was applied")
        page.table(["change", "kept", "measured speed-up", "why"],
                   [[", ".join(f"{key}={value}" for key, value in entry["change"].items()) or "none",
                     "yes" if entry["kept"] else "no",
                     _value_first(entry["speedup"]) if entry.get("speedup") else "not tried", entry["why"]]
                    for entry in profiler.optimizations])


def _reasons(page, trees):
    errors = [(tree, error) for tree in trees for error in tree["errors"]]
    if errors:
        page.heading("Errors")
        page.table(["function", "call", "error"], [[tree["name"], error["call"], error["error"]] for tree, error in errors])
    reasons = dict.fromkeys((entry["what"], entry["why"]) for tree in trees if tree["kind"] == "function"
                            for entry in tree["not_measured"])
    if reasons:
        page.heading("Not measured")
        page.table(["what", "why"], [list(reason) for reason in reasons])
