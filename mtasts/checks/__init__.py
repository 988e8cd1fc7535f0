"""Judgements about what was seen on the network: facts in, findings out.

`own` judges a domain of ours, which `mtasts status` and `mtasts fetch` show.
"""

from mtasts.checks.own import certificate, record, served

__all__ = ["certificate", "record", "served"]
