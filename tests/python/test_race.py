"""The race of settings, with trials that take the time and give the rates that a test says."""

import random
import time

import pytest
from stallmeter.race import PATIENCE, Entrant, Race

pytestmark = [pytest.mark.any_torch, pytest.mark.profilers]


def run(rates, seconds, groups=8, spread=0.01, takes=0.002, rounds_most=None):
    """Entrants by name, and what each trial was given."""
    noise, given = random.Random(1), []
    entrants = [Entrant(name) for name in rates]

    def attempt(entrant, share, end):
        given.append((entrant.setting, share, end - time.perf_counter()))
        time.sleep(takes)
        entrant.rounds += 1
        entrant.seconds += [noise.gauss(1, spread) / rates[entrant.setting] for _ in range(groups)]

    Race(entrants, attempt, time.perf_counter() + seconds, 7, rounds_most=rounds_most).run()
    return {entrant.setting: entrant for entrant in entrants}, given


def test_the_hopeless_leave_and_the_close_stay():
    entrants, _ = run({"best": 100, "close": 97, "half": 45, "third": 65}, 2)
    assert entrants["half"].dropped_after == 1, "below half of the best after one round"
    assert entrants["third"].dropped_after == 2, "below two thirds after two"
    assert entrants["best"].dropped_after is None and entrants["close"].dropped_after is None


def test_what_has_settled_is_tried_no_more():
    entrants, given = run({"best": 100, "close": 97}, 30)
    assert sum(entrant.rounds for entrant in entrants.values()) == len(given) < 8, "two rounds or three are enough at 1 % noise"
    for entrant in entrants.values():
        rate, low, high = entrant.rate()
        assert low < rate < high and (high - low) / 2 <= 0.02 * rate
        assert entrant.has_settled()


def test_noise_asks_for_more_until_the_time_is_over():
    began = time.perf_counter()
    entrants, given = run({"best": 100, "close": 97}, 0.6, groups=2, spread=0.5, takes=0.02)
    took = time.perf_counter() - began
    assert 0.4 < took < 1.0 and len(given) > 10
    assert not entrants["best"].has_settled() and entrants["best"].dropped_after is None


def test_the_order_of_each_round_is_another():
    _, given = run(dict.fromkeys("abcdefgh", 100), 5, spread=0.2, groups=3, takes=0.001, rounds_most=6)
    orders = ["".join(name for name, *_ in given[at:at + 8]) for at in range(0, 48, 8)]
    assert all(sorted(order) == list("abcdefgh") for order in orders) and len(set(orders)) > 3


def test_no_trial_gets_more_than_its_part():
    _, given = run(dict.fromkeys("abcd", 100), 4, spread=0.3, groups=2, rounds_most=1)
    assert len(given) == 4
    for _, share, left in given:
        assert share <= 1.0 and left <= PATIENCE * 4 / 4 + 0.01


def test_a_setting_that_failed_is_out():
    entrants = [Entrant("works"), Entrant("fails")]

    def attempt(entrant, share, end):
        entrant.rounds += 1
        entrant.error = "no memory" if entrant.setting == "fails" else None
        entrant.seconds += [0.01] * 8

    Race(entrants, attempt, time.perf_counter() + 5, 7).run()
    assert entrants[1].rounds == 1 and entrants[0].rounds == 2


def test_too_few_groups_have_no_interval():
    entrant = Entrant("short")
    entrant.seconds = [0.01, 0.01]
    rate, low, high = entrant.rate()
    assert rate == pytest.approx(100) and low != low and high != high


def test_what_cannot_win_is_tried_as_often_as_it_may_and_sets_no_bar():
    entrants = [Entrant("fast"), Entrant("slow")]
    entrants[0].rounds_most = 1

    def attempt(entrant, share, end):
        entrant.rounds += 1
        entrant.seconds += [0.01 if entrant.setting == "fast" else 0.05] * 8

    Race(entrants, attempt, time.perf_counter() + 5, 7).run()
    assert entrants[0].dropped_after == 1 and entrants[1].dropped_after is None
