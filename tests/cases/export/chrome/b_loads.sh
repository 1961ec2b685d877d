# As a reader of the format sees it: legal JSON, every event with what its phase needs.
stallmeter export RUN --to chrome -o trace.json
python3 - <<'PY'
import json
events = json.load(open("trace.json"))["traceEvents"]
need = {"M": {"args"}, "X": {"ts", "dur", "cat"}, "B": {"ts", "cat"}, "i": {"ts", "s"}, "C": {"ts", "args"}}
for event in events:
    assert {"ph", "name", "pid", "tid"} | need[event["ph"]] <= set(event), event
spans = [event for event in events if event["ph"] == "X"]
assert all(event["dur"] >= 0 for event in spans)
print(len(spans), "spans,", sum(event["ph"] == "B" for event in events), "open")
PY
