"""The compiled engine's loop in C, on the engine's own arrays: what a C program would do.

`engine_kernel.c` has the loop; here it is compiled into a temporary folder and called by ctypes.
"""

from __future__ import annotations

import ctypes
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from ccsim.demand import chance
from ccsim.demand.draw import INTERVAL_ORIGIN, Draw
from ccsim.demand.model import PPM
from ccsim.demand.table import NEVER
from ccsim.simulation import engine_compiled as engine
from ccsim.simulation import laid_out as state_of
from ccsim.simulation import routing_compiled
from ccsim.simulation.laid_out import Begun, laid_out, log_of, with_more_room
from ccsim.simulation.log import MET, PASSED_ON, REDIAL, ContactLog, Outcome
from ccsim.simulation.model import Model
from ccsim.simulation.state import State, still_to_arrive
from ccsim.simulation.state_laid_out import laid_out_from

SOURCE = Path(__file__).with_name("engine_kernel.c")
_IN_C = {"int64": "int64_t", "uint64": "uint64_t", "bool": "uint8_t", "int8": "int8_t"}
_NUMBER = {int: ("int64_t ", ctypes.c_int64), bool: ("bool ", ctypes.c_bool)}
_STATE = (
    *("NOW", "ARRIVAL", "COMING", "LEAVING", "CLOSING", "COLUMN", "EDGE"),
    *("WAITS", "BACKS", "OVERS", "TALKS", "LATES", "ROWS", "SEEN", "LATER", "IDLE"),
)
_LOOP = ("DONE", "MORE_EVENTS", "MORE_ROWS", "MOST_PPM")
_ROUTING = ("LONGEST_IDLE", "LEAST_HANDLING", "AT_RANDOM")
_CHANCE = (
    *("TALK_TIME", "WRAP_UP", "PATIENCE", "REDIAL_DELAY", "REPEAT_DELAY", "TABLES"),
    *("HANDLE_KEY", "PATIENCE_KEY", "REDIAL_KEY", "REPEAT_KEY", "AGENT_KEY"),
    *("TRANSFER_KEY", "CALLBACK_KEY"),
)


def compiler() -> str | None:
    """The C compiler, if there is one."""
    return shutil.which("gcc") or shutil.which("cc")


def compiler_version() -> str:
    """Its first line about itself."""
    command = [compiler() or "cc", "--version"]
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return told.stdout.splitlines()[0]


class Kernel:
    """The loop in C, compiled with some options such as `-O2`."""

    def __init__(self, options: str, begun: Begun) -> None:
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            (place / "arrays.h").write_text(_declared(begun), encoding="utf-8")
            built = place / f"kernel{options.replace(' ', '')}.so"
            command = [compiler() or "cc", *options.split(), "-std=c11", "-Wall", "-Wextra"]
            command += ["-shared", "-fPIC", "-I", folder, str(SOURCE), "-o", str(built)]
            subprocess.run(command, check=True)
            self._library = ctypes.CDLL(str(built))
        self._library.play.restype = ctypes.c_int64

    def play(self, begun: Begun, model: Model, draw: Draw) -> ContactLog:
        """Play a prepared run."""
        state, centre, chance, rows, floor, agenda = begun
        first = len(draw.contacts.arrival)
        grows = len(agenda.back_when) > 1
        types, columns = centre.is_open.shape
        numbers = [draw.replication, types, columns, len(centre.closing)]
        ends = [len(floor.coming), len(floor.leaving)]
        verdict = engine._MORE_EVENTS
        while verdict != engine._DONE:
            if verdict == engine._MORE_ROWS:
                rows, floor, agenda = with_more_room(rows, floor, agenda)
            held = [_structure(each) for each in (centre, chance, rows, floor, agenda)]
            verdict = self._library.play(
                ctypes.c_void_p(state.ctypes.data),
                ctypes.c_int64(engine._EVENTS_AT_A_TIME),
                *map(ctypes.byref, held),
                ctypes.c_int64(first),
                ctypes.c_bool(grows),
                *map(ctypes.c_int64, [*numbers, len(rows.arrival), *ends]),
            )
        end = model.end if model.cut else int(state[state_of.NOW])
        self._library.close_down(
            *map(ctypes.byref, held[2:4]),
            *map(ctypes.c_int64, [end, len(floor.queue_first), len(floor.busy)]),
        )
        return log_of(rows, floor, int(state[state_of.ROWS]), first, varied=centre.varied)

    def run(self, model: Model, draw: Draw, state: State | None = None) -> ContactLog:
        """What `engine_compiled.run` does, with this loop."""
        if state is None:
            return self.play(laid_out(model, draw), model, draw)
        draw = still_to_arrive(draw, state)
        return self.play(laid_out_from(model, draw, state), model, draw)


def _declared(begun: Begun) -> str:
    """Numbers, and the structures in C: a pointer for each array, a number for each number."""
    numbers = {
        **{name: vars(state_of)[name] for name in _STATE},
        **{name: vars(chance)[name] for name in _CHANCE},
        **{name: vars(engine)[f"_{name}"] for name in _LOOP},
        **{name: vars(routing_compiled)[name] for name in _ROUTING},
        **{outcome.name: int(outcome) for outcome in Outcome},
        **{"REDIAL": REDIAL, "MET": MET, "PASSED_ON": PASSED_ON, "PPM": PPM, "NEVER": NEVER},
        **{"KEYS": begun.chance.keys.shape[1], "INTERVAL_ORIGIN": INTERVAL_ORIGIN},
    }
    lines = [f"#define {name} INT64_C({number})" for name, number in numbers.items()]
    for given in begun[1:]:
        lines.append("typedef struct {")
        for name, value in zip(given._fields, given, strict=True):
            array = isinstance(value, np.ndarray)
            kind = f"{_IN_C[value.dtype.name]} *" if array else _NUMBER[type(value)][0]
            lines.append(f"    {kind}{name};")
        lines.append(f"}} {type(given).__name__};")
    return "\n".join(lines) + "\n"


def _structure(given: Any) -> ctypes.Structure:
    """A tuple of arrays and numbers as C sees it; the arrays stay where they are."""
    fields, values = [], []
    for name, value in zip(given._fields, given, strict=True):
        array = isinstance(value, np.ndarray)
        assert not array or value.flags.c_contiguous, name
        fields.append((name, ctypes.c_void_p if array else _NUMBER[type(value)][1]))
        values.append(value.ctypes.data if array else value)
    kind = type(type(given).__name__, (ctypes.Structure,), {"_fields_": fields})
    return kind(*values)
