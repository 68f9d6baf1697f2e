"""Replay: the requests of a span of time once more, as new ones, with the connectors as they are now.

`runs` gives the new ids, `recording` reads what was published, `submitting` publishes it again, and `rehearsal` shows
what would be sent, without sending anything.
"""

from connectory.replay.recording import LeftOut, Recorded, Recording, Span
from connectory.replay.rehearsal import Rehearsal, Rehearsed, ShownCall
from connectory.replay.runs import ReplayRun
from connectory.replay.submitting import Submission, published_by

__all__ = [
    "LeftOut",
    "Recorded",
    "Recording",
    "Rehearsal",
    "Rehearsed",
    "ReplayRun",
    "ShownCall",
    "Span",
    "Submission",
    "published_by",
]
