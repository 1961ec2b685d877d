"""Many settings, one budget of time: short rounds of all in random order, and the hopeless ones left out of later rounds.

A long trial of each in turn would favour the later ones, which find the page cache warm and the clock of the CPU up. In rounds,
whatever changes with time meets all alike. A setting leaves the race when its interval lies below the best's by more than
rounds could differ: after r rounds, below r / (r + 1) of the best's lower end, since the interval of few rounds knows little of
what differs between them. Where there are too few batches for an interval, twice the rate stands for its upper end. A setting
has settled when its interval over two rounds or more is a few percent wide.
"""

import math
import random
import time

ROUNDS = 4  # that the budget is cut into; more where time is left and noise asks for it
SETTLED_PERCENT = 2  # half width of the interval over the mean: two such can be told apart at 3 %
ROUNDS_LEAST = 2
PATIENCE = 4  # times its share of the time is what one trial may take at most
SHARE_FIRST_S = 1.0  # of the first trial, at most
SHARE_LONGEST_S = 0.25  # of later ones, so that rounds are many: what else the machine does meets neighbours alike
STARTS = 4  # but as long as this many starts, with the first batches of all workers, a trial may take


class Entrant:
    """One setting in the race. `seconds` for a sample, one value a group of batches, over all rounds."""

    def __init__(self, setting):
        self.setting = setting
        self.seconds = []
        self.rounds = self.tries = 0
        self.error = None
        self.rounds_most = None  # of one that cannot win, however fast it is; None: no bound
        self.dropped_after = None  # rounds
        self.longest_s = self.start_s = 0.0

    @property
    def is_in(self):
        return self.error is None and self.dropped_after is None

    def rate(self):
        """(samples a second, low, high); NaN for what is not known."""
        from . import _read

        if not self.seconds:
            return math.nan, math.nan, math.nan
        mean, low, high = (math.nan if value is None else value for value in _read.mean(self.seconds))
        return 1 / mean, 1 / high, 1 / low if low > 0 else math.nan

    def has_settled(self):
        rate, low, high = self.rate()
        return self.rounds >= ROUNDS_LEAST and (high - low) / 2 * 100 <= SETTLED_PERCENT * rate


class Race:
    def __init__(self, entrants, attempt, end, seed, told=None, rounds_most=None):
        """`attempt(entrant, seconds, end)` tries one: it adds to `seconds`, or says an `error`. `told(race)` is called
        behind each. Without `rounds_most` it goes on while time is left and noise asks for it."""
        self.entrants, self.attempt, self.end, self.told = entrants, attempt, end, told
        self.order = random.Random(seed)
        self.round, self.rounds_most = 0, rounds_most

    def run(self):
        while True:
            running = [entrant for entrant in self.entrants if entrant.is_in]
            waiting = [entrant for entrant in running if not entrant.has_settled()]
            if not waiting or self.round == self.rounds_most or not self._run_round(waiting):
                return
            self.round += 1
            self._drop()

    def _run_round(self, waiting):
        """False when the time is over."""
        self.order.shuffle(waiting)
        for place, entrant in enumerate(waiting):
            now = time.perf_counter()
            left = self.end - now
            if left < max(entrant.longest_s, 0.05):  # it would be cut off before it told anything
                if place == len(waiting) - 1 and left < 0.05:
                    return False
                continue
            ahead = len(waiting) - place + len(waiting) * max(ROUNDS - self.round - 1, 0)
            share = left / ahead
            longest = max(SHARE_LONGEST_S, STARTS * entrant.start_s) if entrant.tries else SHARE_FIRST_S
            wanted = min(share, longest)
            self.attempt(entrant, wanted, min(self.end, now + PATIENCE * share))
            entrant.tries += 1
            entrant.longest_s = max(entrant.longest_s, time.perf_counter() - now)
            if self.told:
                self.told(self)
        return any(self.end - time.perf_counter() > max(entrant.longest_s, 0.05) for entrant in waiting if entrant.is_in)

    def _drop(self):
        rates = {entrant: entrant.rate() for entrant in self.entrants if entrant.is_in and entrant.seconds}
        lows = [low for entrant, (_, low, _) in rates.items() if entrant.rounds_most is None and not math.isnan(low)]
        best_low = max(lows, default=math.nan)
        for entrant, (rate, _, high) in rates.items():
            high = 2 * rate if math.isnan(high) else high
            if high < best_low * entrant.rounds / (entrant.rounds + 1):
                entrant.dropped_after = entrant.rounds
            if entrant.rounds_most is not None and entrant.rounds >= entrant.rounds_most:
                entrant.dropped_after = entrant.rounds
