"""May a policy go from `testing` to `enforce`, or to a longer `max_age`? Facts in, a verdict out.

`mtasts.plan` is about dates, and this about what has been seen: both use the ladder of `planning`.
"""

from mtasts.advance.evidence import Evidence, Part
from mtasts.advance.judgement import Answer, Case, Facts, Judgement, Question, case, is_asked, judge
from mtasts.advance.network import Network
from mtasts.advance.reports import Reports
from mtasts.advance.way_back import WayBack, way_back

__all__ = [
    "Answer",
    "Case",
    "Evidence",
    "Facts",
    "Judgement",
    "Network",
    "Part",
    "Question",
    "Reports",
    "WayBack",
    "case",
    "is_asked",
    "judge",
    "way_back",
]
