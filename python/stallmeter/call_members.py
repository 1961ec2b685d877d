"""A Compose: each member on what the ones before it hand over, members that change nothing, and a better order."""

from .call_inputs import copied, fingerprint, name_of, size_bytes, where_of
from .call_profile import Inputs, _repeat, describe, interval, same_kind, time_in_turns

INPUTS_MAX = 16  # samples that are kept between the members
SMALLER = 0.9  # of its input: a crop or a resize, not a rounding


def _chain(members, inputs):
    """What each member is given, and at the end what the last hands over: a list of lists of values."""
    values = [inputs(number) for number in range(min(inputs.count(), INPUTS_MAX))]
    stages = [values]
    for member in members:
        stages.append([member(copied(value)) for value in stages[-1]])
    return stages


def _in_order(members):
    def composed(value):
        for member in members:
            value = member(value)
        return value

    return composed


def profile_members(measuring, members, profile_one):
    """Fills `members` of the profile and the facts of idle members and of the order. `profile_one(member, inputs, share)`."""
    if not measuring.inputs.copies:
        measuring.lack("members", measuring.inputs.why_no_copies)
        return
    try:
        stages = _chain(members, measuring.inputs)
        again = fingerprint(_chain(members, measuring.inputs)[-1])
    except Exception as problem:
        measuring.lack("members", f"called one after the other they fail: {describe(problem)}")
        return
    trees = []
    for member, values in zip(members, stages, strict=False):
        trees.append(profile_one(member, Inputs(values, True), 1 / len(members)))
    measuring.tree["members"] = trees
    _find_idle(measuring, members, stages, trees, again)
    _find_order(measuring, members, stages, trees)


def _find_idle(measuring, members, stages, trees, again):
    """The costliest that hands over what it was given, for every input, and twice."""
    if again is None or again != fingerprint(stages[-1]):
        return
    idle = [at for at in range(len(members)) if fingerprint(stages[at]) == fingerprint(stages[at + 1]) is not None]
    if idle:
        at = max(idle, key=lambda number: trees[number]["time"]["mean_s"] or 0)
        spent = trees[at]["time"]
        measuring.facts.update(idle_name=name_of(members[at]), idle_where=where_of(members[at]), idle_s=spent["mean_s"],
                               idle_low_s=spent["low_s"], idle_high_s=spent["high_s"])


def _find_order(measuring, members, stages, trees):
    """Members that make the data smaller, each tried in front: run and timed, in turns with the order that is."""
    best = None
    for at in range(1, len(members)):
        if size_bytes(stages[at + 1]) >= SMALLER * size_bytes(stages[at]):
            continue
        order = [members[at], *members[:at], *members[at + 1:]]
        found = _time_order(measuring, members, order, stages)
        if found is not None and (best is None or found["mean_s"] < best["mean_s"]):
            best = {**found, "name": name_of(members[at]), "where": where_of(members[at])}
    if best is not None:
        # In shares, since the two were timed in turns, elsewhere than the calls.
        scale = measuring.facts["need_s"] / best["as_it_is_s"]
        measuring.facts.update(order_name=best["name"], order_where=best["where"], order_s=best["mean_s"] * scale,
                               order_low_s=best["low_s"] and best["low_s"] * scale,
                               order_high_s=best["high_s"] and best["high_s"] * scale)
        measuring.tree["other_order"] = {"first": best["name"], "call_s": best["mean_s"] * scale}


def _time_order(measuring, members, order, stages):
    value, result = stages[0][0], stages[-1][0]
    try:
        if not same_kind(_in_order(order)(copied(value)), result):
            return None
        walls = time_in_turns([(_in_order(members), _repeat(value, True)), (_in_order(order), _repeat(value, True))],
                              7, measuring.left(0.1))
    except Exception:
        return None  # they do not commute
    return {**interval(walls[1]), "as_it_is_s": interval(walls[0])["mean_s"]}
