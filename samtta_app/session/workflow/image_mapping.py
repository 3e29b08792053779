"""The workflow's part that finds a project's images again after they were moved to another folder or machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from samtta_app.core.names import displayable
from samtta_app.errors import ProjectError
from samtta_app.phrases import Phrase
from samtta_app.session.project import listing
from samtta_app.session.state import ImageEntry, State
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.image_opening import ImageOpener

ALL_GONE = "None of the project's images is in {folder}. File, Find the images… names the folder where they are now"
NOT_THERE = "None of the project's images is in this folder"
IMAGES_FOUND = "{number} of {every} images with objects are in {folder}"


def all_gone(images: tuple[ImageEntry, ...]) -> bool:
    """Whether there are images with objects, and the files of none of them."""
    with_objects = [entry for entry in images if entry.objects]
    return bool(with_objects) and all(entry.text == listing.GONE for entry in with_objects)


def gone_words(state: State) -> str:
    """What is said of a project whose images are elsewhere, "" where they are not."""
    return Phrase(ALL_GONE, folder=displayable(str(state.folder))) if all_gone(state.images) else ""


def map_images(desk: SessionContext, browsing: ImageOpener, folder: Path) -> Requests:
    """Take the images from another folder from now on, where it has some of them; the project remembers it.

    Raises:
        ProjectError: none of them is there, or the folder cannot be read.
        StoreError: nothing was stored, and nothing has changed.
    """
    wanted = {entry.name for entry in desk.state.images if entry.objects}
    there = wanted.intersection(listing.image_names(folder, subfolders=desk.store.reading.subfolders))
    if wanted and not there:
        raise ProjectError(NOT_THERE, folder, "Choose the folder that holds them")
    desk.store.map_images(folder)
    desk.encoded.clear()
    desk.passed.clear()
    here = desk.image_name()
    images = tuple(replace(e, worst=desk.tally.worst(e.name)) if e.objects else e for e in desk.store.images())
    index = next((k for k, entry in enumerate(images) if entry.name == here), 0)
    desk.change(folder=folder, images=images, index=index)
    requests = browsing.open(index)
    desk.say("good", Phrase(IMAGES_FOUND, number=len(there), every=len(wanted), folder=displayable(str(folder))))
    return requests
