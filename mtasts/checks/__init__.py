"""Judgements about what was seen on the network: facts in, findings out.

`judge` says all there is to be said of a domain (`mtasts check`); `own` has the few questions that
`mtasts status` and `mtasts fetch` ask of a domain of ours.
"""

from mtasts.checks.check_finding import CheckFinding, Group
from mtasts.checks.own import certificate, record, served
from mtasts.checks.verdict import Verdict, judge

__all__ = ["CheckFinding", "Group", "Verdict", "certificate", "judge", "record", "served"]
