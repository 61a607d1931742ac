"""Compares the output of the corpus runner (`--json`) with the least number of cases that must pass in each area.

Usage: check_conformance.py RESULT.json MINIMUM.txt

A line of the minimum file is `AREA PASSED`, or `AREA NAME PASSED` for one of the counts inside of an area (details or
classes of calls); `#` begins a comment. An area or a name that the result does not have is a failure.
"""

import json
import sys


def area_counts(found):
    counts = {key: len(found.get(key, [])) for key in ("passed", "failed", "unsupported")}
    return counts["passed"], f"failed={counts['failed']} unsupported={counts['unsupported']}"


def inner_counts(found, name):
    count = {**found.get("details", {}), **found.get("calls", {})}.get(name, {"passed": 0, "total": 0})
    return count["passed"], f"total={count['total']}"


def main(result_path, minimum_path):
    with open(result_path, encoding="utf-8") as file:
        areas = json.load(file)["areas"]
    failures = 0
    with open(minimum_path, encoding="utf-8") as file:
        lines = [line.split("#")[0].split() for line in file]
    expected = [(line[0], " ".join(line[1:-1]), int(line[-1])) for line in lines if line]
    if not expected:
        raise SystemExit("the minimum file names no area")
    for area, name, minimum in expected:
        found = areas.get(area, {})
        passed, rest = inner_counts(found, name) if name else area_counts(found)
        verdict = "ok" if passed >= minimum else "TOO FEW"
        failures += verdict != "ok"
        print(f"{area} {name}".strip(), f"passed={passed} (at least {minimum}) {rest} {verdict}")
    for area in sorted(set(areas) - {area for area, _, _ in expected}):
        passed, rest = area_counts(areas[area])
        print(f"{area} passed={passed} (no minimum) {rest}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
