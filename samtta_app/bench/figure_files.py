"""The figures of a bench as a file of rows."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from samtta_app.core.files import write_whole
from samtta_app.errors import DatasetError


def write_figure_rows(rows: Iterable[Mapping[str, object]], file: Path) -> Path:
    """Write rows as JSON, nan as null, into a folder that is made; returns the path.

    Raises:
        DatasetError: it cannot be written.
    """
    known = [{key: None if value != value else value for key, value in row.items()} for row in rows]
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, json.dumps(known, indent=1).encode())
    except OSError as e:
        raise DatasetError(f"The figures cannot be written: {e.strerror}", file.parent, "Choose another folder") from e
    return file
