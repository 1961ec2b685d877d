"""The configuration classes: the fields that the specification prints, checked whenever they are set."""

from __future__ import annotations

import dataclasses

import pytest
import stallmeter

pytestmark = [pytest.mark.any_torch, pytest.mark.profilers]

CLASSES = [stallmeter.BottleneckProfilerConfig, stallmeter.DataLoadingProfilerConfig, stallmeter.PreprocessingProfilerConfig]


@pytest.mark.parametrize("kind", CLASSES)
def test_every_field_has_a_default_and_a_check(kind: type) -> None:
    config = kind()
    for field in dataclasses.fields(kind):
        value = getattr(config, field.name)
        setattr(config, field.name, value)
        assert getattr(config, field.name) == value
        with pytest.raises((TypeError, ValueError), match=f"^{field.name}: "):
            setattr(config, field.name, object())
    assert kind() == config


@pytest.mark.parametrize("wrong", [
    {"batch_size_range": []}, {"batch_size_range": [0]}, {"worker_range": [-1]}, {"worker_range": [2.5]}, {"worker_range": "24"},
    {"profiling_duration": 0}, {"profiling_duration": float("nan")}, {"profiling_duration": True}, {"save_profiles": 1},
    {"profile_output_dir": ""},
])
def test_what_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    name = next(iter(wrong))
    with pytest.raises((TypeError, ValueError), match=f"^{name}: "):
        stallmeter.DataLoadingProfilerConfig(**wrong)


def test_a_list_is_the_configs_own() -> None:
    first, second = stallmeter.DataLoadingProfilerConfig(), stallmeter.DataLoadingProfilerConfig()
    first.worker_range.append(16)
    assert second.worker_range == [0, 2, 4, 8]
    given = [1, 2]
    config = stallmeter.DataLoadingProfilerConfig(worker_range=given)
    given.append(3)
    assert config.worker_range == [1, 2]
    assert stallmeter.DataLoadingProfilerConfig(worker_range=range(3)).worker_range == [0, 1, 2]


def test_a_level_may_be_given_by_its_name() -> None:
    config = stallmeter.BottleneckProfilerConfig(profiling_level="production")
    assert config.profiling_level is stallmeter.ProfilingLevel.PRODUCTION
    with pytest.raises(ValueError, match="profiling_level: 'fast' is none of basic, detailed"):
        config.profiling_level = "fast"


def test_a_field_that_is_not_there_is_named() -> None:
    config = stallmeter.BottleneckProfilerConfig()
    with pytest.raises(AttributeError, match="no field 'sampling_intervall'; there are: profiling_level"):
        config.sampling_intervall = 1.0
