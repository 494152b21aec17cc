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

from ccsim.demand.draw import Draw
from ccsim.simulation import engine_compiled as engine
from ccsim.simulation.laid_out import NOW, ROWS, Begun, laid_out, log_of, with_more_room
from ccsim.simulation.log import ContactLog
from ccsim.simulation.model import Model

SOURCE = Path(__file__).with_name("engine_kernel.c")
_IN_C = {"int64": "int64_t", "uint64": "uint64_t", "bool": "uint8_t", "int32": "int32_t"}


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
            command = [compiler() or "cc", *options.split(), "-std=c11", "-shared", "-fPIC"]
            subprocess.run([*command, "-I", folder, str(SOURCE), "-o", str(built)], check=True)
            self._library = ctypes.CDLL(str(built))
        self._library.play.restype = ctypes.c_int64

    def play(self, begun: Begun, model: Model, draw: Draw) -> ContactLog:
        """Play a prepared run."""
        state, centre, chance, rows, floor, agenda = begun
        first = len(draw.contacts.arrival)
        numbers = [first, draw.replication, centre.is_open.shape[1]]
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
                *map(ctypes.c_int64, [*numbers, len(rows.arrival), *ends]),
            )
        end = model.end if model.cut else int(state[NOW])
        self._library.close_down(
            *map(ctypes.byref, held[2:4]),
            *map(ctypes.c_int64, [end, len(floor.queue_first), len(floor.busy)]),
        )
        return log_of(rows, floor, int(state[ROWS]), first)

    def run(self, model: Model, draw: Draw) -> ContactLog:
        """What `engine_compiled.run` does, with this loop."""
        return self.play(laid_out(model, draw), model, draw)


def _declared(begun: Begun) -> str:
    """The structures in C: a pointer for each array, a number for each number."""
    lines = []
    for given in begun[1:]:
        lines.append("typedef struct {")
        for name, value in zip(given._fields, given, strict=True):
            array = isinstance(value, np.ndarray)
            lines.append(
                f"    {_IN_C[value.dtype.name]} *{name};" if array else f"    int64_t {name};"
            )
        lines.append(f"}} {type(given).__name__};")
    return "\n".join(lines) + "\n"


def _structure(given: Any) -> ctypes.Structure:
    """A tuple of arrays and numbers as C sees it; the arrays stay where they are."""
    fields, values = [], []
    for name, value in zip(given._fields, given, strict=True):
        array = isinstance(value, np.ndarray)
        assert not array or value.flags.c_contiguous, name
        fields.append((name, ctypes.c_void_p if array else ctypes.c_int64))
        values.append(value.ctypes.data if array else int(value))
    kind = type(type(given).__name__, (ctypes.Structure,), {"_fields_": fields})
    return kind(*values)
