"""The reference engine against every exact law we know, on many days: one row for each law.

Run `python benchmarks/oracles_table.py 1024`; the tests play 32 days of the same centres. The
number of days is the argument; 1,024 take about ten minutes on one core. With `write` behind it
the table also replaces the one of docs/verification.md.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.behaviour_oracles import BEHAVIOURS
from tests.contact_oracles import CONTACTS
from tests.oracles import FALSE_ALARM, ORACLES, PATIENCE, patience_day, z_scores

PUBLISHED = {
    f"M/M/50 + G, {kind}, {rate} calls/min": partial(patience_day, kind, rate, 50, (3, 6))
    for kind in PATIENCE
    for rate in (48, 55)
}
"""The size at which values for general patience are published; a tenth of the days each."""
FIGURES = {"wait_answered": 1e6, "wait_all": 1e6, "handle_time": 1e6}
"""Times are shown in seconds."""


PAGE = Path(__file__).parents[1] / "docs" / "verification.md"
SECTION = "## The reference engine against exact laws"


def rows(days: int, seed: int = 1) -> Iterator[str]:
    """The table, line by line, and a sentence."""
    yield "| centre | days | law | exact | seen | standard error | z |"
    yield "| --- | ---: | --- | ---: | ---: | ---: | ---: |"
    scores = []
    plays = [(name, build, days) for name, build in {**ORACLES, **BEHAVIOURS, **CONTACTS}.items()]
    plays += [(name, build, max(days // 10, 10)) for name, build in PUBLISHED.items()]
    for name, build, number in plays:
        for score in z_scores(build(), number, seed):
            contact_type, measure, base = score.law
            unit = FIGURES.get(measure, 1)
            yield (
                f"| {name} | {number:,} | {measure} ÷ {base} of {contact_type} "
                f"| {score.exact / unit:.5f} | {score.seen / unit:.5f} | {score.error / unit:.5f} "
                f"| {score.z:+.2f} |"
            )
            scores.append(score)
    worst = max(scores, key=lambda score: abs(score.z))
    beyond = sum(abs(score.z) > 1.96 for score in scores)
    yield ""
    yield (
        f"{len(scores)} laws; largest |z| {abs(worst.z):.2f}; {beyond} beyond 1.96, "
        f"where chance alone gives {0.05 * len(scores):.1f} (laws of one centre move together). "
        f"A test refuses beyond {worst.limit:.2f}: false alarm {FALSE_ALARM:g} each."
    )


def main(days: int = 64, write: str = "") -> None:
    lines = []
    for line in rows(days):
        print(line, flush=True)
        lines.append(line)
    if write:
        before, _, after = PAGE.read_text(encoding="utf-8").partition(SECTION)
        after = after[after.index("\n## ") :]
        command = f"`python benchmarks/oracles_table.py {days}`"
        said = f"{command}; laws start from an empty floor where the simulation does."
        text = "\n\n".join([SECTION, said, "\n".join(lines) + "\n"])
        PAGE.write_text(before + text + after, encoding="utf-8")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]), *sys.argv[2:])
