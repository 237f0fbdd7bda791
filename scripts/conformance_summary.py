"""Sums up the index.json of an Autobahn-like report, in the strict sense.

A case passes if both its behaviour and its close are OK. INFORMATIONAL passes
too: it is the only verdict those cases know. NON-STRICT, FAILED, UNCLEAN and
anything else is a failure.
"""

import collections
import json
import sys

PASSING = {"OK", "INFORMATIONAL"}
CASES_MIN = 301  # a suite that ran fewer has not been run

with open(sys.argv[1]) as file:
    (cases,) = json.load(file).values()

verdicts = collections.Counter()
failed = 0
for name, case in cases.items():
    verdict = (case["behavior"], case["behaviorClose"])
    verdicts["/".join(dict.fromkeys(verdict))] += 1
    if not PASSING.issuperset(verdict):
        failed += 1
        print(f"{name}: behaviour {verdict[0]}, close {verdict[1]}")

missing = max(0, CASES_MIN - len(cases))
if missing:
    print(f"{missing} cases were not run")
failed += missing
print(", ".join(f"{count} {verdict}" for verdict, count in verdicts.most_common()))
print(f"{len(cases) + missing - failed} passed, {failed} failed")
sys.exit(failed > 0)
