"""Finished blocks kept in a folder, so that what was interrupted goes on where it stopped."""

from __future__ import annotations

import json
import os
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ccsim import __version__
from ccsim.errors import CcsimError
from ccsim.performance.sample import BY_REPLICATION, RunningSums, Sample
from ccsim.performance.waits import Waits
from ccsim.plans.plan import StaffingPlan
from ccsim.scenario.case import Case

_STUDY = "study.json"


@dataclass(frozen=True)
class Checkpoint:
    """A folder with one file for each finished block, and one that says of what study."""

    folder: Path

    def keep(self, first: int, samples: Sequence[Sample]) -> None:
        """Keep a block, whole or not at all.

        Raises
        ------
        CcsimError
            If it cannot be written; the blocks kept before stay.
        """
        columns: dict[str, Any] = {
            f"{number}_{name}": array
            for number, sample in enumerate(samples)
            for name, array in _arrays(sample).items()
        }
        unfinished = self.folder / f".block-{first}-{os.getpid()}"
        try:
            with unfinished.open("wb") as file:
                np.savez_compressed(file, **columns)
            unfinished.replace(self._path(first))
        except OSError as error:
            unfinished.unlink(missing_ok=True)
            raise CcsimError(
                f"{self.folder}: block {first} cannot be kept: {error.strerror or error}; "
                "make room, then --resume goes on from the last finished block"
            ) from error

    def has(self, first: int) -> bool:
        """Whether a block is there, whole; a damaged one is played again."""
        try:
            with zipfile.ZipFile(self._path(first)) as file:
                return file.testzip() is None
        except (OSError, zipfile.BadZipFile):
            return False

    def kept(self, first: int, block_size: int) -> tuple[Sample, ...]:
        """A block that is there."""
        with np.load(self._path(first), allow_pickle=False) as file:
            columns = {name: file[name] for name in file.files}
        plans = 1 + max(int(name.split("_", 1)[0]) for name in columns)
        return tuple(_sample(columns, number, block_size) for number in range(plans))

    def _path(self, first: int) -> Path:
        return self.folder / f"block-{first:09d}.npz"


def new_checkpoint(
    folder: Path, case: Case, plans: Sequence[StaffingPlan], seed: int, block_size: int
) -> Checkpoint:
    """Begin a folder of finished blocks.

    Raises
    ------
    CcsimError
        If something stands there already, or it cannot be written.
    """
    try:
        folder.mkdir(parents=True)
        text = json.dumps(_study(case, plans, seed, block_size), indent=1, ensure_ascii=False)
        (folder / _STUDY).write_text(text + "\n", encoding="utf-8")
    except FileExistsError:
        raise CcsimError(
            f"{folder} exists: --resume {folder} goes on with it, or give --checkpoint another"
        ) from None
    except OSError as error:
        raise CcsimError(
            f"{folder} cannot be written: {error.strerror}; give --checkpoint another folder"
        ) from error
    return Checkpoint(folder)


def old_checkpoint(
    folder: Path, case: Case, plans: Sequence[StaffingPlan], seed: int, block_size: int
) -> Checkpoint:
    """Go on with a folder of finished blocks.

    Raises
    ------
    CcsimError
        If there is none, or it is of another study.
    """
    try:
        found = json.loads((folder / _STUDY).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise CcsimError(
            f"{folder} has nothing to resume: begin with --checkpoint {folder}"
        ) from error
    asked = _study(case, plans, seed, block_size)
    if found != asked:
        differs = [name for name in asked if not isinstance(found, dict)
                   or found.get(name) != asked[name]]  # fmt: skip
        raise CcsimError(
            f"{folder} is of another study; not the same: {', '.join(differs)}. Resume with what "
            "it was begun with, or begin another with --checkpoint"
        )
    return Checkpoint(folder)


def _study(
    case: Case, plans: Sequence[StaffingPlan], seed: int, block_size: int
) -> dict[str, object]:
    return {
        "ccsim": __version__,
        "scenario": case.fingerprint,
        "plan": [plan.text for plan in plans],
        "seed": seed,
        "block_size": block_size,
    }


def _arrays(sample: Sample) -> dict[str, np.ndarray]:
    (waits,) = sample.waits.batches  # of one block
    sums = sample.intervals
    days = {name: getattr(sample, name) for name in BY_REPLICATION}
    return {**days, "sums_of_types": sums.contact_types, "sums_of_groups": sums.groups,
            "waits": waits}  # fmt: skip


def _sample(columns: dict[str, np.ndarray], number: int, block_size: int) -> Sample:
    own = {
        name.split("_", 1)[1]: array
        for name, array in columns.items()
        if int(name.split("_", 1)[0]) == number
    }
    return Sample(
        **{name: own[name] for name in BY_REPLICATION},
        intervals=RunningSums(1, own["sums_of_types"], own["sums_of_groups"]),
        waits=Waits((own["waits"],), 1),
        block_size=block_size,
    )
