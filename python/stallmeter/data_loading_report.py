"""The report of a DataLoadingProfiler as a page: the table of all configurations, charts, the optimum, what to change."""

import math

BYTES = (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10))


def bytes_words(value):
    if value is None:
        return None
    unit, size = next(((unit, size) for unit, size in BYTES if value >= size), ("B", 1))
    return f"{value / size:.3g} {unit}"


def seconds_words(value):
    if value is None:
        return None
    return f"{value:.3g} s" if value >= 1 else f"{value * 1e3:.3g} ms" if value >= 1e-3 else f"{value * 1e6:.3g} us"


def rate_words(profile):
    if profile.samples_per_s is None:
        return None
    if profile.samples_per_s_ci is None:
        return f"{profile.samples_per_s:.4g} samples/s"
    low, high = profile.samples_per_s_ci
    return f"{profile.samples_per_s:.4g} ({low:.4g} to {high:.4g}) samples/s"


def page_of(profiler):
    from . import _read

    page = _read.Page("DataLoader settings", "Data loading")
    try:
        optimal = profiler.get_optimal_configuration()
    except (ValueError, RuntimeError) as error:
        optimal = None
        page.verdict("NOT MEASURED", str(error))
    else:
        page.verdict(_words_of(optimal.profile).upper(),
                     f"{optimal.samples_per_s:.4g} samples a second; confidence {optimal.confidence}.")
    page.facts(_facts(profiler, optimal))
    _recommend(page, profiler, optimal)
    _compare(page, profiler, optimal)
    _chart(page, profiler, optimal)
    _find(page, profiler)
    _act(page, profiler)
    _leave(page, profiler)
    return page


def _words_of(profile):
    parts = [f"batch size {profile.batch_size}"] if profile.batch_size is not None else []
    return ", ".join([*parts, f"{profile.num_workers} worker{'s' * (profile.num_workers != 1)}"])


def _facts(profiler, optimal):
    facts = [("configurations", str(len(profiler.profiles))),
             ("measured", str(sum(profile.samples_per_s is not None for profile in profiler.profiles))),
             ("usable cores", f"{profiler.usable_cores():g}")]
    if optimal is not None:
        facts += [("expected rate", rate_words(optimal.profile)), ("confidence", optimal.confidence),
                  ("memory with it", bytes_words(optimal.profile.memory_bytes) or "not measured")]
    return facts


def _recommend(page, profiler, optimal):
    page.heading("Optimal configuration")
    if optimal is None:
        page.text("No configuration was measured.")
        return
    arguments = ", ".join(f"{name}={value!r}" for name, value in optimal.loader_arguments().items())
    page.text(f"DataLoader(dataset, {arguments})")
    page.text(optimal.why + ".")
    suggestions = profiler.get_optimization_suggestions()
    if suggestions:
        page.heading("Suggestions")
        page.table(["what", "speed-up", "follows from", "applied by apply_optimizations()"],
                   [[item["text"], _speedup(item["predicted_speedup"], "measured" if item["measured"] else "predicted"),
                     item["finding"] or "the trials", "yes" if item["applicable"] else item["reason"]] for item in suggestions])


def _speedup(interval, how="measured"):
    if not interval or None in interval:
        return None
    low, middle, high = interval
    return f"{middle:.2f}x ({low:.2f} to {high:.2f}), {how}"


#: head of a column, and what stands in it; columns that nobody fills are left out
COLUMNS = (
    ("batch size", lambda profile: profile.batch_size),
    ("workers", lambda profile: profile.num_workers),
    ("other settings", lambda profile: _others(profile)),
    ("samples/s (90 %)", lambda profile: _rate_point(profile)),
    ("batches", lambda profile: profile.batches),
    ("first batch after", lambda profile: seconds_words(profile.first_batch_s)),
    ("workers' memory", lambda profile: bytes_words(profile.worker_memory_bytes)),
    ("main memory", lambda profile: bytes_words(profile.main_memory_bytes)),
    ("cores in use", lambda profile: profile.cpu_cores),
    ("read a second", lambda profile: bytes_words(profile.read_bytes_per_s)),
    ("copy of a batch to the device", lambda profile: seconds_words(profile.transfer_s)),
    ("note", lambda profile: _fate(profile)),
)


def _compare(page, profiler, optimal):
    page.heading("Configuration comparison")
    best = next((place for place, profile in enumerate(profiler.profiles) if optimal and profile is optimal.profile), -1)
    columns = [(head, [value(profile) for profile in profiler.profiles]) for head, value in COLUMNS]
    columns = [(head, values) for head, values in columns if any(value not in (None, "", "0 B") for value in values)]
    page.table([head for head, _ in columns], list(zip(*(values for _, values in columns), strict=True)), best=best,
               note="Memory is PSS: pages that processes share are divided between them. The rate is without start and warm-up.")


def _others(profile):
    words = str(profile.configuration).split(" ")
    return " ".join(word for word in words if not word.startswith(("batch_size=", "num_workers="))) or None


def _fate(profile):
    if profile.error:
        return profile.error
    after = profile.dropped_after
    return "" if after is None else f"out after round {after}"


def _series(profiler, value):
    """One series a batch size (and other settings), over the number of workers."""
    series = {}
    for profile in profiler.profiles:
        point = value(profile)
        if point is not None:
            name = f"batch size {profile.batch_size}" if profile.batch_size is not None else "the batch sampler's"
            others = _others(profile)
            varied = len({_others(other) for other in profiler.profiles if other.num_workers}) > 1
            key = f"{name}, {others}" if varied and others else name
            series.setdefault(key, []).append((float(profile.num_workers), *point))
    return [(name, sorted(points)) for name, points in series.items()]


def _rate_point(profile):
    if profile.samples_per_s is None:
        return None
    return profile.samples_per_s, *(profile.samples_per_s_ci or (math.nan, math.nan))


def _memory_point(profile):
    return None if profile.memory_bytes is None else (profile.memory_bytes / 2**20,)


def _chart(page, profiler, optimal):
    best = float(optimal.num_workers) if optimal is not None else None
    page.heading("Throughput")
    page.chart("Samples a second", "num_workers", "samples/s", _series(profiler, _rate_point), best=best)
    page.heading("Memory")
    memory = _series(profiler, _memory_point)
    if memory:
        page.chart("Memory of main process and workers", "num_workers", "MiB (PSS)", memory, best=best)
    else:
        page.text("Not measured: " + next(iter(profiler.profiles[0].not_measured.values()), "no trial came to its end") + "."
                  if profiler.profiles else "No trial was made.")


def _find(page, profiler):
    page.heading("Bottlenecks")
    shown = profiler.get_bottlenecks()
    for finding in shown:
        page.finding(finding)
    if not shown:
        page.text(profiler.not_measured.get("findings", "None was found in the recorded run."))


def _act(page, profiler):
    if not profiler.optimizations:
        return
    page.heading("Optimizations")
    page.table(["change", "before", "state", "speed-up", "why", "reason", "what else it changes"],
               [[_pairs(done["change"]), _pairs({key: done["before"].get(key) for key in done["change"]}), done["state"],
                 _speedup(done["speedup"]), done["why"], done["reason"], "; ".join(done["disclosed"])]
                for done in profiler.optimizations])


def _pairs(settings):
    return ", ".join(f"{name}={value}" for name, value in settings.items())


def _leave(page, profiler):
    missing = {}
    for profile in profiler.profiles:
        for what, why in profile.not_measured.items():
            missing.setdefault((what, why), []).append(profile)
    rows = [[what, why] for what, why in profiler.not_measured.items()]
    rows += [[what, f"{why} (of {len(profiles)} of {len(profiler.profiles)} configurations)"]
             for (what, why), profiles in missing.items()]
    if rows:
        page.heading("Not measured")
        page.table(["what", "why"], rows)
