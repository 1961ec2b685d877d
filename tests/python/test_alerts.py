"""Alerts: told by the collector while the job runs, on the socket by which it is told to end, and kept in the run."""

from __future__ import annotations

import json
import socket

import pytest
import stallmeter
from stallmeter import profiling

LINE = b'{"time_s": 1.5, "kind": "memory", "value": 0.9, "threshold": 0.8, "state": "begin"}\n'


def pair():
    ours, its = socket.socketpair()
    ours.setblocking(False)
    return profiling.Told(ours), its


def test_lines_are_drained_without_waiting():
    told, its = pair()
    assert profiling.drain_alerts(told) == []
    its.sendall(LINE + LINE[:20])
    assert profiling.drain_alerts(told) == [json.loads(LINE)]
    assert profiling.drain_alerts(told) == [], "half a line is no alert yet"
    its.sendall(LINE[20:] + LINE)
    assert len(profiling.drain_alerts(told)) == 2


def test_what_came_with_the_end_is_not_lost():
    told, its = pair()
    its.sendall(LINE)
    its.close()
    profiling.end_collector(told)
    assert profiling.drain_alerts(told) == [json.loads(LINE)]
    assert profiling.drain_alerts(told) == []


@pytest.mark.parametrize(("name", "value", "error"), [
    ("interval", 0, ValueError), ("interval", float("nan"), ValueError), ("interval", "1", TypeError),
    ("memory_threshold", 1.5, ValueError), ("gpu_threshold", -0.1, ValueError), ("gpu_threshold", True, TypeError),
    ("without", "memory", TypeError), ("without", 3, TypeError), ("without", ["disk"], ValueError)])
def test_wrong_arguments_are_named(tmp_path, name, value, error):
    with pytest.raises(error, match=f"^{name}: "), stallmeter.profile(tmp_path / "run", **{name: value}):
        pass
    assert not (tmp_path / "run").exists()
