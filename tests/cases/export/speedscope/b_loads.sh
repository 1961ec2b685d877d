# As a reader of the format sees it: frames by number, as many weights as samples, and their sum the end.
stallmeter export RUN --to speedscope -o RUN.json
python3 - <<'PY'
import json
file = json.load(open("RUN.json"))
frames = file["shared"]["frames"]
for profile in file["profiles"]:
    assert len(profile["samples"]) == len(profile["weights"])
    assert abs(sum(profile["weights"]) - profile["endValue"]) < 1e-9
    assert all(0 <= frame < len(frames) for stack in profile["samples"] for frame in stack)
    print(profile["name"], len(profile["samples"]), "stacks,", frames[profile["samples"][0][-1]]["name"])
PY
