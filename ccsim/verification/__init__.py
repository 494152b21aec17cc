"""The user's own centre, reduced to what is known exactly, played, and held against it."""

from ccsim.verification.centres import Centre, centre_of
from ccsim.verification.file_numbers import Finding, Numbers, read_file
from ccsim.verification.playing import (
    CONTACTS,
    FALSE_ALARM,
    Check,
    Law,
    Reduction,
    Report,
    play,
)
from ccsim.verification.reduce import REDUCTIONS, reductions
from ccsim.verification.roster import simple_roster

__all__ = [
    "CONTACTS",
    "FALSE_ALARM",
    "REDUCTIONS",
    "Centre",
    "Check",
    "Finding",
    "Law",
    "Numbers",
    "Reduction",
    "Report",
    "centre_of",
    "play",
    "read_file",
    "reductions",
    "simple_roster",
]
