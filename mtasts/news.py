"""What a run has to tell, whichever way: a subject, words for people, facts for programs."""

import datetime
from typing import Any, Dict, NamedTuple


class News(NamedTuple):
    """What `program` found at `time` (aware) on the machine `by`; all of it in visible ASCII.

    `facts` become JSON. The subject is "" if there is nothing to tell.
    """

    program: str
    by: str
    time: datetime.datetime
    subject: str
    text: str
    facts: Dict[str, Any]
