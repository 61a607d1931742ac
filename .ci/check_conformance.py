"""Compares the output of the corpus runner (`--json`) with the least number of cases that must pass in each area.

Usage: check_conformance.py RESULT.json MINIMUM.txt

A line of the minimum file is `AREA PASSED`; `#` begins a comment. An area that the result does not have is a failure.
"""

import json
import sys


def main(result_path, minimum_path):
    with open(result_path, encoding="utf-8") as file:
        areas = json.load(file)["areas"]
    failures = 0
    with open(minimum_path, encoding="utf-8") as file:
        lines = [line.split("#")[0].split() for line in file]
    expected = [line for line in lines if line]
    if not expected:
        raise SystemExit("the minimum file names no area")
    for area, minimum in expected:
        found = areas.get(area)
        passed, failed, unsupported = (len(found[key]) if found else 0 for key in ("passed", "failed", "unsupported"))
        verdict = "ok" if passed >= int(minimum) else "TOO FEW"
        failures += verdict != "ok"
        print(f"{area:<12} passed={passed} (at least {minimum}) failed={failed} unsupported={unsupported} {verdict}")
    for area in sorted(set(areas) - {area for area, _ in expected}):
        counts = {key: len(value) for key, value in areas[area].items()}
        print(f"{area:<12} passed={counts['passed']} (no minimum) failed={counts['failed']} "
              f"unsupported={counts['unsupported']}")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
