"""The page of a session whose trace is not at hand: its figures were loaded from a file, or there was no session yet.

With the trace, the page of the run is the better one (`Report.to_html`): it has the pictures over time. Here is what the
summary holds.
"""

TIMES = (("s", 1.0), ("ms", 1e-3), ("us", 1e-6))


def seconds(value):
    if value is None:
        return None
    unit, size = next(((unit, size) for unit, size in TIMES if value >= size), ("ns", 1e-9))
    return f"{value / size:.3g} {unit}"


def share(value):
    return None if value is None else f"{value * 100:.3g} %"


def settings(change):
    return ", ".join(f"{key}={value}" for key, value in change.items())


def render(summary):
    """HTML and Markdown."""
    page = page_of(summary)
    return page.html(), page.markdown()


def page_of(summary):
    from . import _read

    page = _read.Page(summary["name"] or "No session", "Bottlenecks")
    if summary["session"] is None:
        page.verdict("NOT MEASURED", "No session was begun.", "unsure")
        return page
    tell_verdict(page, summary)
    page.facts([("session", summary["session"]), ("begun", summary["started_at"] or "not known"),
                ("took", seconds(summary["wall_s"]) or "not known"), ("level", summary["level"])])
    tell_bottlenecks(page, summary)
    tell_operations(page, summary)
    for finding in summary["findings"]:
        page.finding(finding)
    tell_alerts(page, summary)
    tell_metrics(page, summary)
    tell_changes(page, summary)
    if summary["not_measured"]:
        page.heading("Not measured")
        page.table(["what", "why"], [[row["what"], row["why"]] for row in summary["not_measured"]])
    return page


def tell_verdict(page, summary):
    dear = summary["bottlenecks"]
    word = f"{len(dear)} bottleneck{'s' * (len(dear) != 1)}".upper()
    sentence = summary["verdict"]["sentence"] if summary["verdict"] else ""
    page.verdict(word, sentence, "bound" if dear else "fine")


def tell_bottlenecks(page, summary):
    page.heading("Bottlenecks")
    if not summary["bottlenecks"]:
        page.text("None takes as much of the session as the threshold asks for.")
        return
    page.table(["what", "name", "type", "of the session", "what to do"],
               [[row["kind"], row["name"], row["type"], share(row["severity"]),
                 row["suggestions"][0]["text"] if row["suggestions"] else None] for row in summary["bottlenecks"]])


def tell_operations(page, summary):
    page.heading("Operations")
    if not summary["operations"]:
        page.text("No operation was profiled.")
        return
    page.table(["operation", "type", "of the session", "own", "with those inside", "times", "median", "99th"],
               [[row["name"], row["type"], share(row["severity"]), seconds(row["self_s"]), seconds(row["inclusive_s"]),
                 row["count"], seconds(row["p50_s"]), seconds(row["p99_s"])] for row in summary["operations"]],
               note="Own: without the operations inside it. Operations that ran in workers have no share of the session.")


def tell_alerts(page, summary):
    if summary["alerts"]:
        page.heading("Alerts")
        page.table(["at", "what", "state", "value", "threshold"],
                   [[seconds(row["time_s"]), row["kind"], row["state"], row["value"], row["threshold"]]
                    for row in summary["alerts"]])


def tell_metrics(page, summary):
    has = {name: row for name, row in summary["metrics"].items() if row["last"] is not None}
    if has or summary["recorded"]:
        page.heading("Metrics")
        page.table(["metric", "unit", "mean", "least", "most", "last"],
                   [[name, row["unit"], row["mean"], row["min"], row["max"], row["last"]] for name, row in has.items()]
                   + [[name, "as recorded", None, None, None, value] for name, value in summary["recorded"].items()])


def tell_changes(page, summary):
    if summary["optimizations"]:
        page.heading("What was changed")
        page.table(["change", "state", "reason"],
                   [[settings(row["change"]) or row["why"], row["state"], row["reason"]] for row in summary["optimizations"]])
