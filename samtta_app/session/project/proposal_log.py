"""Verdicts on proposals, as the project stores them: what was rejected stays rejected, and confidence learns from both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from samtta_app.core.masks import covers, from_rle, to_rle
from samtta_app.core.names import to_text
from samtta_app.core.types import Annotation, Mask
from samtta_app.session.project.cells import LONGEST_SIDE, PIXELS, BadValueError, DbRow, number_or_nan, text, whole
from samtta_app.session.project.database import Database
from samtta_app.session.project.learning_log import now
from samtta_app.session.proposal_list import ORIGINS, ProposalVerdict, ProposedMask

NEWEST_VERDICTS = 1000
"""Verdicts that confidence is calibrated by: reading them takes some milliseconds."""

_JUDGED = "INSERT INTO judged_proposals (image, origin, expected, annotation_id, x, y, width, height, rle, created) "


class ProposalLog(Database):
    """The part of an open project that stores verdicts on proposals and reads them again."""

    def reject(self, proposals: Sequence[ProposedMask], image: str) -> tuple[int, ...]:
        """Store proposals as rejected, all or none of them; returns the numbers of their verdicts.

        Raises:
            StoreError: nothing was stored.
        """
        with self._writing():
            return tuple(self._log_verdict(each, image, None) for each in proposals)

    def withdraw_verdicts(self, numbers: Iterable[int], withdrawn: bool) -> None:
        """Take back that proposals were rejected, or reject them again; the records stay."""
        with self._writing():
            values = [(int(withdrawn), number) for number in numbers]
            self._db.executemany("UPDATE judged_proposals SET withdrawn = ? WHERE id = ?", values)

    def rejected(self, image: str) -> tuple[Mask, ...]:
        """The masks that were rejected in an image."""
        query = "SELECT * FROM judged_proposals WHERE image = ? AND annotation_id IS NULL AND withdrawn IS NOT 1"
        return tuple(self._good(self._rows(query, to_text(image)), _mask_of, _named))

    def verdicts(self) -> tuple[ProposalVerdict, ...]:
        """The newest verdicts that hold; an accepted object that was deleted or changed since is none."""
        query = f"""
            SELECT p.id, p.origin, p.expected, p.annotation_id IS NOT NULL AS accepted
            FROM judged_proposals p LEFT JOIN annotations a ON a.id = p.annotation_id
            WHERE p.withdrawn IS NOT 1 AND (p.annotation_id IS NULL OR a.deleted IS NOT 1)
            ORDER BY p.id DESC LIMIT {NEWEST_VERDICTS}
        """
        return tuple(self._good(self._rows(query), _verdict_of, _named))

    def _log_accepted(self, proposals: Sequence[ProposedMask], saved: Sequence[Annotation]) -> None:
        """Store what became of proposals; to be called while writing."""
        for proposal, annotation in zip(proposals, saved, strict=False):
            self._log_verdict(proposal, annotation.image_name, annotation.id)

    def _log_verdict(self, proposal: ProposedMask, image: str, annotation_id: int | None) -> int:
        """Store a verdict; to be called while writing."""
        place: tuple[int | bytes | None, ...] = (None,) * 5
        if annotation_id is None:
            mask, (height, width) = proposal.mask, proposal.mask.bits.shape
            place = (mask.x, mask.y, width, height, to_rle(Mask(0, 0, mask.bits), height, width))
        expected = None if proposal.expected != proposal.expected else proposal.expected
        values = (to_text(image), proposal.origin, expected, annotation_id, *place, now())
        return int(self._db.execute(f"{_JUDGED} VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values).lastrowid or 0)


def _named(row: DbRow) -> str:
    return f"verdict {row['id']}"


def _mask_of(row: DbRow) -> Mask:
    x, y = (whole(row, column, most=LONGEST_SIDE) for column in ("x", "y"))
    width, height = (whole(row, column, least=1, most=LONGEST_SIDE) for column in ("width", "height"))
    counts = row["rle"]
    if width * height > PIXELS or not isinstance(counts, bytes) or not covers(counts, width * height):
        raise BadValueError("rle", counts, f"not the run lengths of a {height} x {width} bitmap")
    part = from_rle(counts, height, width)
    return Mask(x + part.x, y + part.y, part.bits)


def _verdict_of(row: DbRow) -> ProposalVerdict:
    origin = text(row, "origin")
    if origin not in ORIGINS:
        raise BadValueError("origin", origin, f"none of {', '.join(ORIGINS)}")
    return ProposalVerdict(origin, number_or_nan(row, "expected"), bool(row["accepted"]))
