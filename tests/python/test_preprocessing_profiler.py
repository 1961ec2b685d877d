"""PreprocessingProfiler on real functions: each type fires where it is and is quiet where it is not; nothing is changed; use and misuse.

What is asserted of times is large against what other programs of the machine do to them.
"""

import hashlib
import json
import math
import os
import random
import re
import runpy
import time
import zlib
from pathlib import Path

import pytest

np = pytest.importorskip("numpy")

import stallmeter  # noqa: E402
from stallmeter import PreprocessingBottleneck, PreprocessingProfiler, PreprocessingProfilerConfig, _read  # noqa: E402

pytestmark = [pytest.mark.any_torch, pytest.mark.profilers]

RNG = np.random.default_rng(7)


def profiler(duration=3, **options):
    return PreprocessingProfiler(PreprocessingProfilerConfig(profiling_duration=duration, save_profiles=False, **options))


def profile(function, data, calls=10, **options):
    return profiler(**options).profile_preprocessing_function(function, data, calls)


def finding(of, kind):
    return next((found for found in of.findings if found.type == kind), None)


def line_of(function, text):
    import inspect

    lines, first = inspect.getsourcelines(function)
    return first + next(number for number, line in enumerate(lines) if text in line)


# --- the eight types ---


def compress(data):
    """In proportion to its input: at level 9 zlib's search grows until its window is full."""
    return zlib.compress(data, 1)


def doze(data):
    time.sleep(0.01)
    return data


TEXT = [bytes(RNG.integers(97, 101, 200_000, dtype=np.uint8)) for _ in range(5)]


@pytest.fixture(scope="module")
def compressed():
    return profile(compress, TEXT)


@pytest.fixture(scope="module")
def dozed():
    return profile(doze, TEXT)


def test_cpu_intensive_fires(compressed):
    found = finding(compressed, "CPU_INTENSIVE")
    assert found and found.severity > 0.6
    assert compressed.per_sample and compressed.cpu.python_share < 0.3
    assert PreprocessingBottleneck.CPU_INTENSIVE in compressed.bottlenecks
    assert any("zlib" in suggestion.text for suggestion in found.suggestions)


def test_cpu_intensive_is_quiet_where_it_waits(dozed):
    assert finding(dozed, "CPU_INTENSIVE") is None and "SM201" in dozed.passed


def test_io_bound_fires(dozed):
    found = finding(dozed, "I_O_BOUND")
    assert found.severity > 0.8 and found.cause_detail == "sleep"
    assert dozed.cpu.blocked_s > 0.8 * dozed.time.mean_s


def test_io_bound_is_quiet_where_it_computes(compressed):
    assert finding(compressed, "I_O_BOUND") is None and "SM204" in compressed.passed


def test_io_bound_names_what_it_reads(tmp_path):
    paths = [tmp_path / str(number) for number in range(6)]
    for path in paths:
        path.write_bytes(RNG.bytes(1_000_000))
    os.sync()

    def cold(path):
        with open(path, "rb", buffering=0) as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
            return len(file.read())

    of = profile(cold, paths)
    if not of.io.read_bytes:
        pytest.skip("these files are in memory whatever is asked")
    assert finding(of, "I_O_BOUND").cause == "cold_cache" and of.io.read_bytes > 500_000


def scale_each(values):
    out = np.empty(len(values))
    for at in range(len(values)):
        out[at] = (values[at] - 0.5) / 0.25  # one at a time
    return out


def scale_all(values):
    return (values - 0.5) / 0.25


VALUES = RNG.random(20_000)


def test_vectorization_fires_at_the_line():
    found = finding(profile(scale_each, VALUES, duration=8), "VECTORIZATION_INEFFICIENT")
    assert found.severity > 0.7
    assert found.where.file.endswith("test_preprocessing_profiler.py")
    assert found.where.line in (line_of(scale_each, "one at a time"), line_of(scale_each, "for at in"))


def test_vectorization_is_quiet_for_arrays():
    quiet = profile(scale_all, VALUES)
    assert finding(quiet, "VECTORIZATION_INEFFICIENT") is None and "SM205" in quiet.passed


def test_vectorization_is_quiet_for_a_loop_over_native_work():
    quiet = profile(lambda rows: [zlib.compress(row, 9) for row in rows], [bytes(50_000)] * 40)
    assert finding(quiet, "VECTORIZATION_INEFFICIENT") is None


def test_vectorization_fires_for_a_loop_over_a_tensor():
    torch = pytest.importorskip("torch")

    def scale(values):
        out = torch.empty_like(values)
        for at in range(len(values)):
            out[at] = (values[at] - 0.5) / 0.25 * 2 + 1
        return out

    found = finding(profile(scale, torch.rand(1000)), "VECTORIZATION_INEFFICIENT")
    assert found.severity > 0.7 and found.where.line == line_of(scale, "out[at] =")


def keep_new(words):
    out = []
    for word in words:
        if word not in out:
            out.append(word)
    return out


def keep_new_fast(words):
    return list(dict.fromkeys(words))


WORDS = [str(number) for number in range(3000)]


def test_algorithm_fires_where_time_grows_with_the_square():
    of = profile(keep_new, WORDS)
    found = finding(of, "ALGORITHM_INEFFICIENT")
    assert found.cause == "superlinear" and found.severity > 0.5
    assert of.scaling.exponent > 1.5


def test_algorithm_is_quiet_where_it_grows_in_proportion():
    quiet = profile(keep_new_fast, WORDS * 20)
    assert finding(quiet, "ALGORITHM_INEFFICIENT") is None


def table():
    return sorted((number * 7919) % 5000 for number in range(5000))


def looked_up(values):
    return [table()[0] + value for value in values]


def test_algorithm_fires_where_the_same_is_computed_again():
    found = finding(profile(looked_up, [1, 2, 3, 4], duration=10), "ALGORITHM_INEFFICIENT")
    assert found.cause == "duplicate_work" and found.where.name == "table"
    assert 0.4 < found.severity <= 0.9  # three calls of four
    assert next(row.value for row in found.evidence if row.metric == "duplicate_calls") == 3


def derive(key):
    """Milliseconds for a few bytes: to recognise them takes next to nothing."""
    return hashlib.pbkdf2_hmac("sha256", key, b"salt", 4000)


KEYS = [b"%d" % (at % 3) for at in range(30)]


def test_caching_fires_where_inputs_come_again():
    found = finding(profile(derive, KEYS), "CACHING_MISSED")
    assert found.severity > 0.8 and found.suggestions[0].change.cache_size == 3


def test_caching_is_quiet_where_none_does(compressed):
    assert finding(compressed, "CACHING_MISSED") is None and "SM206" in compressed.passed
    assert compressed.caching.deterministic and compressed.caching.hit_share == 0


def test_caching_is_quiet_where_results_differ():
    quiet = profile(lambda key: derive(key) + random.randbytes(8), KEYS)
    assert finding(quiet, "CACHING_MISSED") is None and not quiet.caching.deterministic


def converted(values):
    return values.astype(np.float64).astype(np.float32).copy().astype(np.float64)


def test_memory_fires_for_copies():
    found = finding(profile(converted, RNG.random((300, 300)).astype(np.float32)), "MEMORY_INTENSIVE")
    assert found.cause == "copy" and found.severity > 0.3
    assert found.where.line == line_of(converted, "astype")


def test_memory_is_quiet_without(compressed):
    assert finding(compressed, "MEMORY_INTENSIVE") is None and "SM202" in compressed.passed


def with_a_fixed_cost(batch):
    zlib.compress(TEXT[0], 1)
    return batch * 2


SIZES = [1, 4, 16, 64]


@pytest.fixture(scope="module")
def batched():
    of = profiler(batch_size_range=SIZES)
    return of, of.profile_batch_preprocessing(with_a_fixed_cost, RNG.random((64, 100)))


def test_batch_size_fires_for_small_ones(batched):
    small = batched[1][0]
    found = finding(small, "BATCH_SIZE_INEFFICIENT")
    assert small.batch_size == 1 and found.severity > 0.8
    assert found.suggestions[0].change.batch_size > 1


def test_batch_size_is_quiet_where_it_changes_nothing():
    def each(batch):
        return [zlib.compress(row, 9) for row in batch]

    for one in profiler(batch_size_range=[2, 4, 8]).profile_batch_preprocessing(each, [TEXT[0][:20_000]] * 8):
        found = finding(one, "BATCH_SIZE_INEFFICIENT")
        assert found is None or found.severity < 0.3, "only what other programs do to the times"


FACTS = {"name": "augment", "where": "train.py:4", "calls": 10, "need_s": 0.01, "need_low_s": 0.0099, "need_high_s": 0.0101,
         "cpu_s": 0.01, "blocked_s": 0.0, "usable_cpus": 2}


def test_gpu_underutilized_fires_where_a_device_was_faster():
    device = {"device": 1, "device_name": "some device", "device_s": 0.002, "device_low_s": 0.0019, "device_high_s": 0.0021}
    judged = _read.judge_calls({**FACTS, **device})
    found = next(found for found in judged["findings"] if found["type"] == "GPU_UNDERUTILIZED")
    assert found["severity"] == pytest.approx(0.8) and found["cause_detail"] == "some device"


def test_gpu_underutilized_is_not_judged_without_a_device(compressed):
    if compressed.device is None:
        assert finding(compressed, "GPU_UNDERUTILIZED") is None and "SM203" not in compressed.passed
        assert any(reason.what == "SM203" and "device" in reason.why for reason in compressed.not_measured)


def test_the_function_is_tried_on_a_device_that_is_there(monkeypatch):
    """A device made of words: what is copied there is marked, and work on what is marked is quick."""
    torch = pytest.importorskip("torch")

    class There(torch.Tensor):
        pass

    def double(batch):
        if not isinstance(batch, There):
            time.sleep(0.01)
        return batch * 2

    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "synchronize", lambda: None)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a device of words")
    monkeypatch.setattr(torch.Tensor, "cuda", lambda tensor: tensor.as_subclass(There))
    of = profile(double, torch.ones(8, 8), duration=2)
    assert of.device.name == "a device of words" and of.device.call_s < of.time.mean_s / 2
    assert finding(of, "GPU_UNDERUTILIZED").severity > 0.8

    def refuses(batch):
        if isinstance(batch, There):
            raise RuntimeError("no kernel for it")
        return batch

    of = profile(refuses, torch.ones(8, 8), duration=1)
    assert of.device is None and "SM203" not in of.passed
    assert any("no kernel for it" in reason.why for reason in of.not_measured if reason.what == "SM203")


def test_facts_that_are_none_are_refused():
    with pytest.raises(ValueError, match="facts"):
        _read.judge_calls({**FACTS, "wall_seconds": 1})
    with pytest.raises(TypeError, match=r"facts\[cpu_s\]"):
        _read.judge_calls({**FACTS, "cpu_s": "much"})
    with pytest.raises(TypeError, match="facts"):
        _read.judge_calls([])


def test_findings_are_as_the_schema_of_reports_has_them(compressed, dozed, batched):
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads((Path(__file__).parents[2] / "docs" / "report-1.schema.json").read_text())
    few = profile(derive, KEYS, 2)  # too few for intervals
    checked = 0
    for of in (compressed, dozed, few, *batched[1]):
        for found in of.to_dict()["findings"]:
            jsonschema.validate(found, {"$ref": "#/$defs/finding", "$defs": schema["$defs"]})
            checked += 1
    assert checked >= 4


# --- what it is given ---


def spoil(values):
    values[:] = 0
    return values


def test_the_input_stays_as_it_was():
    for data, function in ((np.ones(50), spoil), ([1, 2, 3], list.clear), (bytearray(b"abc"), bytearray.clear)):
        before = str(data)
        of = profile(function, data, 3)
        assert str(data) == before and of.changes_input


def test_random_numbers_go_on_as_if_nothing_was_drawn():
    random.seed(3)
    np.random.seed(3)
    before = random.getstate(), np.random.get_state()[1].tolist()
    profile(lambda data: [random.random(), *np.random.random(2)], [1], 3)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before


def test_every_kind_of_data():
    kinds = [3, "text", b"bytes", (1, 2), {"image": np.ones(3)}, [[1], [2]], np.float32(2)]
    for data in kinds:
        of = profile(lambda value: value, data, 3, duration=1)
        assert of.calls == 3 and not of.errors and of.time.mean_s > 0


def test_tensors_and_images():
    torch, Image = pytest.importorskip("torch"), pytest.importorskip("PIL.Image")
    images = [Image.fromarray(RNG.integers(0, 255, (60, 80, 3), dtype=np.uint8)) for _ in range(4)]
    of = profile(lambda image: image.resize((40, 30)), images, duration=2)
    assert of.per_sample and of.memory.input_bytes == 60 * 80 * 3 and of.memory.output_bytes == 40 * 30 * 3
    of = profile(lambda batch: batch.sub(0.5).div(0.25).clamp(0, 1).mul(2).add(1), torch.rand(100, 784), duration=2)
    assert not of.per_sample and of.memory.output_bytes == 100 * 784 * 4
    data = torch.ones(10)
    assert profile(lambda batch: batch.zero_(), data, 3, duration=1).changes_input and data.sum() == 10


class Compose:
    def __init__(self, transforms):
        self.transforms = transforms

    def __call__(self, value):
        for transform in self.transforms:
            value = transform(value)
        return value


def smooth(image):
    for _ in range(6):
        image = (image + np.roll(image, 1, 0) + np.roll(image, 1, 1)) / 3
    return image


def quarter(image):
    return image[::4, ::4].copy()


def as_it_is(image):
    return np.sort(image, axis=None).reshape(image.shape) * 0 + image


def test_a_compose_is_profiled_member_by_member():
    images = [RNG.random((200, 200)) for _ in range(3)]
    of = profile(Compose([smooth, quarter]), images, duration=6)
    assert [member.name for member in of.members] == ["smooth", "quarter"]
    assert of.members[0].time.mean_s > of.members[1].time.mean_s
    found = finding(of, "ALGORITHM_INEFFICIENT")
    assert found.cause == "wrong_order" and found.where.name == "quarter" and found.severity > 0.4
    whole = profiler(1).profile_preprocessing_function(Compose([smooth]), images, 1, per_sample=False)
    assert of.per_sample and not whole.per_sample
    quiet = profile(Compose([quarter, smooth]), images, duration=4)
    assert not [each for each in quiet.findings if each.cause in ("wrong_order", "duplicate_work")]


def test_a_member_that_changes_nothing_is_named():
    of = profile(Compose([as_it_is, quarter]), [RNG.random((200, 200)) for _ in range(3)], duration=6)
    found = [each for each in of.findings if each.cause == "duplicate_work"]
    assert found and found[0].where.name == "as_it_is"


def test_a_function_that_fails_on_the_third_call():
    calls = []

    def fails(value):
        calls.append(value)
        if len(calls) == 3:
            raise RuntimeError("the disk is gone")
        return value

    of = profile(fails, VALUES)
    assert [dict(error) for error in of.errors] == [{"call": 3, "error": "RuntimeError: the disk is gone"}]
    assert of.calls == 1 and of.time.mean_s > 0


def test_an_interrupt_is_not_swallowed():
    def interrupted(value):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        profile(interrupted, VALUES)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda p: p.profile_preprocessing_function(3, VALUES), TypeError, "function: 3 cannot be called"),
    (lambda p: p.profile_preprocessing_function(len, (n for n in [1])), TypeError, "data: a generator"),
    (lambda p: p.profile_preprocessing_function(len, []), ValueError, "data: it is empty"),
    (lambda p: p.profile_preprocessing_function(len, None), TypeError, "data: None"),
    (lambda p: p.profile_preprocessing_function(len, VALUES, 0), ValueError, "num_iterations: 0"),
    (lambda p: p.profile_preprocessing_function(len, VALUES, 1.5), TypeError, "num_iterations: 1.5"),
    (lambda p: p.profile_preprocessing_function(len, 7), ValueError, "function: len failed on its first call"),
    (lambda p: p.profile_preprocessing_function(len, VALUES, per_sample=1), TypeError, "per_sample: 1"),
    (lambda p: p.profile_preprocessing_function(len, "text", per_sample=True), ValueError, "per_sample: str"),
    (lambda p: p.profile_batch_preprocessing(len, 7), TypeError, "data: int cannot be cut"),
    (lambda p: p.profile_batch_preprocessing(None, VALUES), TypeError, "function: None"),
    (lambda p: p.get_optimal_preprocessing_config(), RuntimeError, "nothing was profiled"),
    (lambda p: p.apply_optimizations(), RuntimeError, "no function"),
    (lambda p: p.profile_current_configuration(), RuntimeError, "no function"),
    (lambda p: p.generate_optimization_report("x.txt"), ValueError, "path: 'x.txt'"),
    (lambda p: p.save_profiling_results("x.txt"), ValueError, "path: 'x.txt'"),
    (lambda p: p.save_profiling_results(3), TypeError, "path: 3 is no path"),
    (lambda p: p.load_profiling_results(3), TypeError, "path: 3 is no path"),
    (lambda p: p.generate_optimization_report(3), TypeError, "path: 3 is no path"),
    (lambda p: PreprocessingProfiler(3), TypeError, "config: 3"),
])
def test_wrong_use_is_said_in_one_line(call, error, words):
    with pytest.raises(error) as caught:
        call(profiler())
    assert str(caught.value).startswith(words) and "\n" not in str(caught.value)


# --- what follows ---


def test_the_optimum_is_the_smallest_within_noise(batched):
    optimal = batched[0].get_optimal_preprocessing_config()
    assert optimal.batch_size == 64 and not optimal.cache
    assert optimal.samples_per_s_ci[0] <= optimal.samples_per_s <= optimal.samples_per_s_ci[1]
    assert "64" in str(optimal)


def test_the_cache_of_one_lambda_is_not_advised_for_another():
    tuned = profiler()
    tuned.profile_preprocessing_function(lambda key: derive(key), KEYS)
    assert tuned.get_optimal_preprocessing_config().cache
    tuned.profile_batch_preprocessing(
        lambda key: derive(key), KEYS)
    assert not tuned.get_optimal_preprocessing_config().cache


def test_a_batch_size_has_the_fields_of_a_profile(batched):
    sizes = batched[1]
    assert sizes[0].cpu.python_share is None and sizes[0].scaling is None and sizes[0].caching is None
    assert {"caching", "device", "CPU in the interpreter"} <= {entry.what for entry in sizes[0].not_measured}


def test_the_tuning_loop_keeps_what_helps():
    tuned = profiler(auto_optimize=True, duration=8)
    assert math.isnan(tuned.measure_improvement())
    tuned.profile_preprocessing_function(derive, KEYS)
    assert [entry["kept"] for entry in tuned.optimizations] == [True]
    low, value, high = tuned.optimizations[0]["speedup"]
    assert 1 < low <= value <= high and "copies" in tuned.optimizations[0]["why"]
    assert tuned.optimized_function(b"2") == derive(b"2") and tuned.optimized_function is not derive
    assert tuned.measure_improvement() > 100  # 3 of 30 are computed
    again = tuned.profile_current_configuration()
    assert again.calls == 10 and finding(again, "CACHING_MISSED") is None
    tuned.revert_optimizations()
    assert tuned.optimized_function is derive and tuned.measure_improvement() == 0


def test_a_batch_size_is_applied_and_measured():
    tuned = profiler(batch_size_range=SIZES)
    tuned.profile_batch_preprocessing(with_a_fixed_cost, RNG.random((64, 100)))
    assert [entry["change"] for entry in tuned.apply_optimizations()] == [{"batch_size": 64}] and tuned.batch_size == 64
    assert tuned.measure_improvement() > 200
    tuned.revert_optimizations()
    assert tuned.batch_size is None and not tuned.optimizations[0]["kept"]


def test_the_tuning_loop_takes_back_what_does_not_help():
    tuned = profiler(auto_optimize=True)
    tuned.profile_preprocessing_function(compress, TEXT)
    done = tuned.apply_optimizations([{"change": {"cache_size": 10}}])
    assert done[0]["kept"] is False and "taken back" in done[0]["why"]
    assert tuned.optimized_function is compress
    assert tuned.apply_optimizations([{"change": {}, "text": "rewrite it"}])[0]["kept"] is False


def test_suggestions_say_what_can_be_applied(batched):
    found = batched[0].get_optimization_suggestions()
    assert found and all(entry["applicable"] or entry["why_not"] for entry in found)
    assert any(entry["applicable"] and entry["change"].get("batch_size") for entry in found)


def test_a_cache_hands_out_copies():
    cache = stallmeter.call_cache.ResultCache(lambda values: values + 1, 2)
    first = cache(np.zeros(3))
    first[:] = 9
    assert cache(np.zeros(3)).tolist() == [1, 1, 1] and (cache.hits, cache.misses) == (1, 1)
    cache(np.ones(3)), cache(np.ones(3) * 2)
    assert "2 of 2 results" in repr(cache)


def test_results_go_to_a_file_and_back(tmp_path, batched, compressed):
    of = batched[0]
    path = of.save_profiling_results(tmp_path / "found.json")
    other = profiler()
    assert len(other.load_profiling_results(path)) == len(SIZES)
    assert other.batch_profiles[0].to_dict() == of.batch_profiles[0].to_dict()
    assert other.get_optimal_preprocessing_config().batch_size == 64
    assert not any(entry["applicable"] for entry in other.get_optimization_suggestions())
    (tmp_path / "other.json").write_text(json.dumps({"schema": "stallmeter/report/1"}))
    (tmp_path / "torn.json").write_text("{")
    for name in ("other.json", "torn.json"):
        with pytest.raises(stallmeter.TraceError, match=name):
            other.load_profiling_results(tmp_path / name)
    with pytest.raises(FileNotFoundError):
        other.load_profiling_results(tmp_path / "none.json")


def test_results_travel_as_a_tensor(tmp_path, compressed):
    pytest.importorskip("stallmeter.results")
    of, other = profiler(), profiler()
    of.profiles.append(compressed)
    assert other.load_profiling_results(of.save_profiling_results(tmp_path / "found.pt"))[0].to_dict() == compressed.to_dict()
    (tmp_path / "torn.pt").write_bytes(b"PK")
    with pytest.raises(stallmeter.TraceError, match="torn.pt"):
        other.load_profiling_results(tmp_path / "torn.pt")


def test_the_report_has_every_part(tmp_path, batched):
    of = batched[0]
    of.profile_preprocessing_function(with_a_fixed_cost, RNG.random((64, 100)), 5)
    path = of.generate_optimization_report(tmp_path / "report.html")
    page, text = (tmp_path / "report.html").read_text(), (tmp_path / "report.md").read_text()
    assert path == str(tmp_path / "report.html") and "<svg" in page and "http://" not in page.replace("http://www.w3.org", "")
    for heading in ("Function performance", "Batch size optimization", "Caching effectiveness", "Device use",
                    "Algorithm efficiency", "Findings", "Not measured"):
        assert heading in page and heading in text
    assert "<iframe" in of._repr_html_() and "<iframe" in of.profiles[-1]._repr_html_()
    assert "Function performance" in str(of.profiles[-1])


def test_profiles_are_saved_where_the_config_says(tmp_path):
    config = PreprocessingProfilerConfig(profiling_duration=1, profile_output_dir=str(tmp_path / "out"))
    of = PreprocessingProfiler(config)
    of.profile_preprocessing_function(scale_all, VALUES, 3)
    saved = list((tmp_path / "out").glob("scale_all-*.json"))
    assert len(saved) == 1 and json.loads(saved[0].read_text())["profiles"][0]["name"] == "scale_all"
    assert of.generate_optimization_report().startswith(str(tmp_path / "out"))


def test_what_is_switched_off_is_not_measured_and_says_so():
    off = {f"enable_{what}_tracking": False for what in ("memory", "gpu", "cpu", "io")}
    of = profile(scale_all, VALUES, enable_caching=False, **off)
    reasons = {reason.what: reason.why for reason in of.not_measured}
    assert reasons["caching"] == "enable_caching is off" and reasons["SM202"] == "enable_memory_tracking is off"
    assert reasons["device"] == "enable_gpu_tracking is off" and "python_share" not in of.cpu
    assert not {"SM202", "SM203", "SM206"} & set(of.passed)


def test_the_name_of_the_specification():
    import preprocessing_profiler

    assert preprocessing_profiler.PreprocessingProfiler is PreprocessingProfiler
    assert preprocessing_profiler.PreprocessingProfilerConfig is PreprocessingProfilerConfig


def test_the_examples_of_the_documentation_run(tmp_path, monkeypatch):
    text = (Path(__file__).parents[2] / "docs" / "preprocessing-profiler.md").read_text()
    blocks = re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)
    assert len(blocks) == 4
    monkeypatch.chdir(tmp_path)
    script = tmp_path / "example.py"
    script.write_text("\n".join(blocks))
    names = runpy.run_path(str(script))
    assert names["profile"].bottlenecks[0] == "VECTORIZATION_INEFFICIENT"
    assert (tmp_path / "preprocessing.md").exists() and names["again"].profiles and list((tmp_path / "preprocessing_profiles").iterdir())


def test_the_time_is_bounded():
    begin = time.monotonic()
    of = profile(lambda value: time.sleep(0.2), VALUES, 1000, duration=2)
    assert 1 <= of.calls < 1000 and time.monotonic() - begin < 8
