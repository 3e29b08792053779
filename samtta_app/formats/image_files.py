"""Formats with one file for each annotated image: their names, the record of them, and reading them one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from samtta_app.core.messages import ReportProgress
from samtta_app.core.project import Project, ProjectImage
from samtta_app.errors import DatasetError
from samtta_app.formats.base import INVALID, FormatWriter, Found, Reading, Refused, announced, is_plain_file, unheard
from samtta_app.formats.recorded_files import read_record, recorded, written_paths
from samtta_app.formats.written_files import portable_stems
from samtta_app.phrases import Phrase

WriteImage = Callable[[Project, ProjectImage, Path, Path], None]
"""Writes the objects of one image into the file of this path; the last path is the folder that it will lie in."""

ReadImage = Callable[[Path, str, Reading], Iterator[Found]]
"""Gives the objects of one file; the text is the name of its image as far as it is known without the file."""


def file_by_image(format_name: str, ending: str, write_image: WriteImage) -> FormatWriter:
    """A writer of files FORMAT/NAME + `ending`, one for each annotated image, and a record with the images' own names."""

    def write(project: Project, folder: Path, progress: ReportProgress = unheard) -> list[Path]:
        stems = portable_stems(image.name for image in project.annotated)
        own = {f"{format_name}/{stem}{ending}": name for name, stem in stems.items()}
        classes = [c.name for c in project.classes]
        with recorded(folder, format_name, {"images": own, "classes": classes}) as stage:
            (stage / format_name).mkdir()
            for image in announced(project.annotated, progress):
                file = stage / format_name / f"{stems[image.name]}{ending}"
                write_image(project, image, file, folder / format_name)
        return written_paths(folder, format_name)

    return write


def files_of_images(format_name: str, ending: str, read_image: ReadImage) -> Callable[[Path, Reading], Iterator[Found]]:
    """A reader of such files: of one, of those in a folder, or of an export; a file that is none is refused by name.

    Raises:
        DatasetError: there is no such file.
    """

    def read(path: Path, reading: Reading) -> Iterator[Found]:
        names: Mapping[str, str] = {}
        files = [path] if path.is_file() else []
        if path.is_dir():
            listed = read_record(path, format_name)
            names = listed.get("images", {}) if isinstance(listed.get("images"), dict) else {}
            home = path / format_name if listed or (path / format_name).is_dir() else path
            there = home.iterdir() if home.is_dir() else ()
            files = sorted(p for p in there if p.name.lower().endswith(ending.lower()) and is_plain_file(p))
            if not files and not listed:
                raise DatasetError(
                    Phrase("There are no files that end in {ending} here", ending=ending), path, "Choose another folder"
                )
        elif not files:
            raise DatasetError("There is no such file or folder", path, "Choose another")
        for file in files:
            own = names.get(f"{format_name}/{file.name}", file.name[: -len(ending)])
            try:
                yield from read_image(file, str(own), reading)
            except (OSError, *INVALID) as error:
                yield Refused(file.name, f"the file cannot be read: {str(error)[:200]}")

    return read
