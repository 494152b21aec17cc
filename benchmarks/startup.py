"""How long a planner waits for the quick verbs: from the key to the prompt, interpreter included.

Run `python benchmarks/startup.py`; it takes half a minute and prints a markdown table. Each is the
best of five runs, with output to a pipe and files in the cache of the disk.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from ccsim.scenario.templates import shipped_scenarios

RUNS = 5
QUEUES = 10
CALLS = ("erlang", "200 calls/h", "3 min")

HEAD = """\
version: 1
name: A centre of ten queues
currency: EUR
time_zone: Europe/Berlin
horizon: {start: 2026-09-07, days: 7, interval: 30 min, begins: cyclic, warm_up: 1 d}
rate_cards:
  own: {paid_hour: 21 EUR, on_cost: 30%}
shifts:
  day: {starts: "08:00-12:00 every 30 min", length: 8 h}
agent_groups:
  team:
    rate_card: own
    shifts: [day]
    skills:
"""
QUEUE = """\
  queue_{n}:
    # Whoever calls here wants the same few things, and most of them call before noon. The rate is
    # that of last spring; who calls again, and after how long, is from known callers.
    open:
      mon-fri: "08:00-20:00"
      sat: "09:00-14:00"
    demand:
      rate: {rate} calls/h
      source: the mean of thirteen weeks
      forecast_error: {{gamma: {{shape: 25}}}}
    talk_time:
      lognormal: {{mean: {talk} s, cv: 1.1}}
      source: sample of recorded calls
    wrap_up:
      exponential: {{mean: 30 s}}
    patience:
      exponential: {{mean: {patience} s}}
      source: of callers who gave up, by the method of Kaplan and Meier
    redial:
      probability: 40%
      delay: {{exponential: {{mean: 15 min}}}}
      at_most: 3
    targets:
      - 80% answered within 20 s, over each day
      - at most 5% lost, over the week
"""


def ten_kilobytes() -> str:
    """Write a scenario of ten queues as people do: a field a line, with comments."""
    skills = "".join(f"      queue_{n}: {{}}\n" for n in range(QUEUES))
    queues = (
        QUEUE.format(n=n, rate=20 + 10 * n, talk=180 + 10 * n, patience=120 + 10 * n)
        for n in range(QUEUES)
    )
    return "".join([HEAD, skills, "contact_types:\n", *queues])


def seconds(*command: str) -> float:
    """Best time of a command that goes well [s]."""
    times = []
    for _ in range(RUNS):
        began = time.perf_counter()
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
        times.append(time.perf_counter() - began)
    return min(times)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        ten = Path(folder) / "ten.yaml"
        ten.write_text(ten_kilobytes(), encoding="utf-8")
        bank = str(shipped_scenarios()["bank_week"])
        size = f"{ten.stat().st_size / 1000:.1f} kB, {QUEUES} contact types"
        verbs: dict[str, tuple[tuple[str, ...], float | None]] = {
            "`ccsim --version`": (("--version",), 0.3),
            "`ccsim --help`": (("--help",), 0.3),
            '`ccsim erlang "200 calls/h" "3 min"`': (CALLS, 0.3),
            '… `--patience "5 min"`': ((*CALLS, "--patience", "5 min"), None),
            '`ccsim erlang "3000 calls/h" "3 min"`': (("erlang", "3000 calls/h", "3 min"), None),
            f"`ccsim check`, {size}": (("check", str(ten)), 1.0),
            f"`ccsim show`, {size}": (("show", str(ten)), 1.0),
            "`ccsim check`, bank_week": (("check", bank), 1.0),
            "`ccsim show`, bank_week": (("show", bank), 1.0),
        }
        print("| | seconds | at most |")
        print("| --- | ---: | ---: |")
        for title, (arguments, most) in verbs.items():
            took = seconds("-m", "ccsim", *arguments)
            print(f"| {title} | {took:.2f} | {'' if most is None else most} |")
        for what in ("pass", "import numpy", "import scipy.special", "import pandas"):
            print(f"| `python -c '{what}'` | {seconds('-c', what):.2f} | |")


if __name__ == "__main__":
    main()
