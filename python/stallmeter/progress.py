"""A bar with the remaining time, on a terminal and nowhere else."""

import sys
import time

WIDTH = 28
EVERY_S = 0.1


class Progress:
    def __init__(self, title, seconds):
        self.title, self.began, self.seconds = title, time.perf_counter(), seconds
        self.shown_at = 0.0
        self.stream = sys.stderr if sys.stderr is not None and sys.stderr.isatty() else None

    def show(self, words=""):
        now = time.perf_counter()
        if self.stream is None or now - self.shown_at < EVERY_S:
            return
        self.shown_at = now
        share = min((now - self.began) / self.seconds, 1.0)
        filled = round(share * WIDTH)
        left = max(self.seconds - (now - self.began), 0)
        self.stream.write(f"\r\x1b[K{self.title} [{'#' * filled}{'.' * (WIDTH - filled)}] at most {left:.0f} s left  {words}")
        self.stream.flush()

    def end(self):
        if self.stream is not None:
            self.stream.write("\r\x1b[K")
            self.stream.flush()
