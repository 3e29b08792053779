"""How well each uncertainty measure predicts what to correct: objects with one click each, and better answers to compare.

Source: Kaiser et al. 2025, "UncertainSAM". The original weights answer one click near the middle of an object. The
answer is compared with its other candidates, a larger model's answer, and the answer to eight clicks at once. Our
addition: where a second click helps. Records are written first, one line per object; `uncertainty_figures` reads
nothing else.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar
from zlib import crc32

import numpy as np

from samtta_app.bench.click_rows import from_lines, model_column
from samtta_app.core.clicks import next_click, usam_clicks
from samtta_app.core.files import write_whole
from samtta_app.core.masks import holds
from samtta_app.core.messages import LoadRequest, MeasureRequest, PredictRequest, ReportProgress, Request
from samtta_app.core.metrics import iou
from samtta_app.core.next_click import random_click, suggested_click
from samtta_app.core.replies import Answer, Loaded, Measured
from samtta_app.core.types import Click, Image, Logits, Prompt
from samtta_app.datasets.folder import TargetObject
from samtta_app.engine.dispatch import Engine, run
from samtta_app.errors import DatasetError, UserError
from samtta_app.regular_files import RECORD_BYTES, read_text
from samtta_app.simulation.streams import Source, objects_of

FREE = ("score", "entropy", "h_a")
"""Measures of the answer itself; they are so fast that each is taken REPEATS times, and the median counts."""
DEAR = ("h_xp", "h_theta", "h_aug", "h_y")
REPEATS = 5
RECORDS = "uncertainty.jsonl"

_Heads = Mapping[str, Path | None]
"""Label -> file of heads, None for the model's own."""

_Kind = TypeVar("_Kind")


@dataclass(frozen=True, slots=True)
class UncertaintyRow:
    """One object, asked with one click in `window` (x, y, width, height).

    True IoU: `ious` of the three candidates (`chosen` is shown), `dense` of those for eight clicks at once. `larger` is that
    of the larger model's candidates (empty without one). `predicted`: predicted IoU of the candidates.

    `measures` by name; those of heads are LABEL/NAME; measures without a value are left out. `seconds` of each measure
    alone; "decoder" is one bare pass.

    `after`: true IoU after a second click, by how its place was chosen. `conditions`: the model and all else that rows
    must share. `model`: `model_column` of what was measured; older records lack it.
    """

    conditions: str
    set: str
    image: str
    object: int
    area: int
    window: tuple[int, int, int, int]
    chosen: int
    ious: tuple[float, ...]
    predicted: tuple[float, ...]
    dense: tuple[float, ...]
    larger: tuple[float, ...]
    measures: Mapping[str, float]
    seconds: Mapping[str, float]
    after: Mapping[str, float]
    model: str = ""

    @property
    def key(self) -> tuple[str, str, int]:
        """Identifies the object."""
        return self.set, self.image, self.object


@dataclass(frozen=True, slots=True)
class Asking:
    """The conditions of a run: up to `objects` of each set's `split`, by `seed`; `larger` and `heads` beside the model."""

    model: str
    larger: str | None
    heads: _Heads
    objects: int
    seed: int
    split: str | None

    @property
    def words(self) -> str:
        """The conditions that all rows of one file share; files of heads by name and content."""
        heads = (f"{label} {crc32(file.read_bytes()):08x}" if file else label for label, file in self.heads.items())
        return f"{self.model}, larger {self.larger}, heads {', '.join(heads)}, seed {self.seed}, split {self.split}"

    def targets(self, sources: Sequence[Source]) -> list[tuple[str, TargetObject]]:
        """Every object with its set's name, image by image.

        Raises:
            DatasetError: a set cannot be used.
        """
        return [
            (source.name, target)
            for source in sources
            for target in sorted(
                objects_of(source, objects=self.objects, seed=self.seed, split=self.split),
                key=lambda target: (target.image.name, target.instance),
            )
        ]


def labelled(files: Sequence[Path]) -> _Heads:
    """Each file by its stem; without files, the model's own heads as "own".

    Raises:
        UserError: two files have one name, or one does not exist.
    """
    found = {file.stem: file for file in files}
    if len(found) < len(files):
        raise UserError("Two files of heads have one name", "--heads", "Rename one of them")
    absent = next((file for file in files if not file.is_file()), None)
    if absent is not None:
        raise UserError("There is no such file of heads", absent, "Train it with `samtta train heads`")
    return found or {"own": None}


def run_uncertainty(
    engine: Engine, sources: Sequence[Source], asking: Asking, told: ReportProgress, out: Path | None = None
) -> tuple[UncertaintyRow, ...]:
    """Measure every object. With `out`, each row is stored at once, and stored rows are not measured again.

    Raises:
        DatasetError: a set cannot be used, or `out` holds rows of other conditions or cannot be written.
        UserError: an image cannot be read, heads do not fit the model, or the engine could not answer.
    """
    targets = asking.targets(sources)
    known = {row.key: row for row in (read_rows(out / RECORDS, asking.words) if out else ())}
    if out is not None and known:
        write_rows(tuple(known.values()), out)  # drops an incomplete last line, so that whole lines can follow
    rows: list[UncertaintyRow] = []
    for done, (name, target) in enumerate(targets, start=1):
        row = known.get((name, target.image.name, target.instance))
        if row is None:
            row = _Asked(engine, asking, target).row(name)
            known[row.key] = row
            if out is not None:
                _append_row(row, out)
        rows.append(row)
        told(done / len(targets), f"{name}: object {done} of {len(targets)}")
    return tuple(rows)


def write_rows(rows: Sequence[UncertaintyRow], folder: Path) -> Path:
    """Write `folder`/uncertainty.jsonl, one JSON object per object; returns its path.

    Raises:
        DatasetError: it cannot be written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        write_whole(folder / RECORDS, "".join(map(_line, rows)).encode())
    except OSError as e:
        raise _unwritable(folder, e) from e
    return folder / RECORDS


def _append_row(row: UncertaintyRow, folder: Path) -> None:
    """Add one line and sync it. A kill leaves at most this line incomplete, and `read_rows` skips it."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / RECORDS).open("ab") as file:
            file.write(_line(row).encode())
            file.flush()
            os.fsync(file.fileno())
    except OSError as e:
        raise _unwritable(folder, e) from e


def _line(row: UncertaintyRow) -> str:
    return json.dumps(asdict(row)) + "\n"


def _unwritable(folder: Path, error: OSError) -> DatasetError:
    return DatasetError(f"The records cannot be written: {error.strerror}", folder, "Choose another folder")


def read_rows(path: Path, conditions: str) -> tuple[UncertaintyRow, ...]:
    """The rows of a file, none without a file; an incomplete last line is left out.

    Raises:
        DatasetError: the file holds something else, or rows of other conditions.
    """
    if not path.exists():
        return ()
    try:
        whole, end, _ = read_text(path, RECORD_BYTES).rpartition("\n")
        rows = tuple(from_lines(whole.split("\n") if end else ["{}"], UncertaintyRow))
    except (OSError, ValueError) as e:
        raise DatasetError("This is not a file of uncertainty records", path, "Choose another folder") from e
    other = next((row.conditions for row in rows if row.conditions != conditions), None)
    if other is not None:
        raise DatasetError(f"The folder holds records of other conditions ({other})", path, "Choose another folder")
    return rows


class _Asked:
    """One object and the engine that is asked about it."""

    def __init__(self, engine: Engine, asking: Asking, target: TargetObject) -> None:
        self._engine, self._asking, self._target = engine, asking, target
        self._image: Image = self._reply(LoadRequest(0, target.image.path), Loaded).image
        self._rng = np.random.default_rng([asking.seed, target.instance, *os.fsencode(target.image.name)])
        self._clicks = usam_clicks(target.mask, self._image.whole, self._rng)
        self._prompt = Prompt(self._clicks[:1])
        self._answer = self._reply(PredictRequest(0, self._image, self._prompt, twin=True), Answer)

    def _reply(self, request: Request, kind: type[_Kind]) -> _Kind:
        reply = run(self._engine, request)
        if not isinstance(reply, kind):
            raise UserError(f"The engine could not answer: {getattr(reply, 'text', '')}", self._target.image.path)
        return reply

    def row(self, name: str) -> UncertaintyRow:
        """The complete row of this object."""
        target, answer, window = self._target, self._answer, self._answer.window
        dense = PredictRequest(0, self._image, Prompt(self._clicks), window, twin=True, candidates=True)
        larger = PredictRequest(0, self._image, self._prompt, window, larger=True, candidates=True)
        measures, seconds = self._measures()
        return UncertaintyRow(
            *(self._asking.words, name, target.image.name, target.instance, target.mask.area),
            (window.x, window.y, window.width, window.height),
            answer.chosen,
            self._ious(answer),
            tuple(candidate.predicted_iou for candidate in answer.candidates),
            self._ious(self._reply(dense, Answer)),
            self._ious(self._reply(larger, Answer)) if self._asking.larger else (),
            *(measures, seconds, self._second_clicks(), model_column(self._asking.model)),
        )

    def _ious(self, answer: Answer) -> tuple[float, ...]:
        return tuple(iou(candidate.mask, self._target.mask) for candidate in answer.candidates)

    def _measured(self, *names: str, heads: Path | None = None) -> Measured:
        window, clicks = self._answer.window, self._clicks
        return self._reply(MeasureRequest(0, self._image, self._prompt, window, names, clicks, heads), Measured)

    def _measures(self) -> tuple[dict[str, float], dict[str, float]]:
        """Every number, and the seconds of each; fast measures are medians."""
        every = [self._measured(*FREE) for _ in range(REPEATS)]
        dear = self._measured(*DEAR)
        numbers = {**every[0].numbers, **dear.numbers}
        seconds = {**{name: dear.seconds[name] for name in DEAR if name in dear.numbers}, **_medians(every)}
        for label, file in self._asking.heads.items():
            said = [self._measured("heads", heads=file) for _ in range(REPEATS)]
            numbers |= {f"{label}/{name}": value for name, value in said[0].numbers.items()}
            seconds |= {f"{label}/{name}": value for name, value in _medians(said).items() if said[0].numbers}
        return numbers, seconds

    def _second_clicks(self) -> dict[str, float]:
        """IoU after a second click: RITM's, the suggested one, and a random uncertain one.

        The last two have the sign that a user who sees the object would give. "suggested, sign as shown" keeps the
        suggestion's own sign.
        """
        target, shown, first = self._target.mask, self._answer.candidates[self._answer.chosen], self._clicks[:1]
        where = Logits(shown.logits.window, shown.entropy)
        suggested = suggested_click(where, shown.mask, first)
        drawn = random_click(where, shown.mask, first, self._rng)
        ways = {
            "oracle": next_click(target, shown.mask, first, self._image.whole),
            "suggested": suggested and Click(suggested.x, suggested.y, holds(target, suggested.x, suggested.y)),
            "suggested, sign as shown": suggested,
            "random": drawn and Click(drawn.x, drawn.y, holds(target, drawn.x, drawn.y)),
        }
        found = {}
        for way, click in ways.items():
            if click is not None:
                prompt = Prompt((*first, click), logits=shown.logits)
                later = self._reply(PredictRequest(0, self._image, prompt, self._answer.window, twin=True), Answer)
                found[way] = self._ious(later)[later.chosen]
        return found


def _medians(every: Sequence[Measured]) -> dict[str, float]:
    return {name: float(np.median([one.seconds[name] for one in every])) for name in every[0].seconds}
