"""The workflow's part that moves between images and has them read and encoded ahead."""

from __future__ import annotations

from dataclasses import replace

from samtta_app.core.messages import LoadRequest, PrefetchRequest
from samtta_app.core.project import ProjectImage
from samtta_app.core.replies import Evicted, Prefetched, Progress
from samtta_app.core.types import Image
from samtta_app.errors import ProjectError, StoreError
from samtta_app.phrases import Phrase
from samtta_app.session.project import listing
from samtta_app.session.project.pictures import outside, picture_of, remark, replaced
from samtta_app.session.workflow.context import Requests, SessionContext
from samtta_app.session.workflow.under_way import Loading, Then

IMAGES_AHEAD = 2
"""This many images after the open one are encoded when nothing else is to be done."""


class ImageOpener:
    """Opens images; at most one is being read and at most one is being encoded ahead."""

    def __init__(self, desk: SessionContext) -> None:
        self._desk = desk

    def open(self, index: int, then: Then = "") -> Requests:
        """Show an image: its annotations at once, its pixels when they are read."""
        desk = self._desk
        if not 0 <= index < len(desk.state.images):
            return ()
        entry, back = desk.state.images[index], desk.state.index
        desk.ahead = replace(desk.ahead, crowded=False)
        desk.change(index=index, image=None, annotations=desk.store.annotations(entry.name), selected=None)
        request = LoadRequest(desk.id(), entry.path, desk.store.reading.planes)
        desk.loading = Loading(request.id, entry.name, then, back)
        return (request,)

    def shown(self, image: Image) -> None:
        """The pixels of the open image arrived; a message and a mark say if the picture is not that of its objects."""
        desk, name, picture = self._desk, self._desk.image_name(), picture_of(image)
        desk.change(image=image)
        said = remark(
            ProjectImage(name, image.width, image.height),
            others := replaced(desk.state.annotations, picture),
            outside(desk.state.annotations, ProjectImage(name, image.width, image.height)),
        )
        if said:
            desk.say("warning", said)
        elif image.notice:
            desk.say("info", Phrase("{name}: {notice}", name=name, notice=image.notice))
        desk.mark(name, changed=listing.listing_changed(len(others)) if others else "")
        if not desk.store.read_only:
            desk.store.image_opened(name, image.width, image.height, picture)

    def refresh(self) -> None:
        """Bring the image list up to date with the folder; images whose file is gone are marked, and come back with it."""
        desk = self._desk
        try:
            images = listing.merged_listing(desk.state.images, desk.store.images())
        except (ProjectError, StoreError) as error:
            desk.say("warning", str(error))
            return
        if images == desk.state.images:
            return
        here = desk.image_name()
        new = len(images) - len(desk.state.images)
        desk.change(images=images, index=next((k for k, entry in enumerate(images) if entry.name == here), 0))
        if new:
            desk.say(
                "info",
                Phrase("1 new image in the folder" if new == 1 else "{number} new images in the folder", number=new),
            )

    def read_again(self) -> Requests:
        """Ask again for the image that is being read."""
        desk, loading = self._desk, self._desk.loading
        if loading is None:
            return ()
        request = LoadRequest(desk.id(), desk.state.images[desk.state.index].path, desk.store.reading.planes)
        desk.loading = replace(loading, request_id=request.id)
        return (request,)

    def forget_encoded(self) -> None:
        """No image is encoded any more, and those that could not be are tried again."""
        desk = self._desk
        encoded = tuple(desk.encoded)
        desk.encoded.clear()
        desk.passed.clear()
        for name in encoded:
            desk.mark(name)

    def list_anew(self) -> None:
        """List the images as the files are read from now on; what was encoded ahead is forgotten."""
        desk, here = self._desk, self._desk.image_name()
        self.forget_encoded()
        listed = desk.store.images()
        names = {entry.name for entry in listed}
        images = tuple(e for e in listing.merged_listing(desk.state.images, listed) if e.name in names)
        desk.change(images=images, index=next((k for k, entry in enumerate(images) if entry.name == here), 0))

    def next_index(self, step: int) -> int | None:
        """The image `step` further, None (and a word) at the end of the list."""
        index = self._desk.state.index + step
        if 0 <= index < len(self._desk.state.images):
            return index
        self._desk.say("info", "This is the last image" if step > 0 else "This is the first image")
        return None

    def unreviewed_index(self) -> int | None:
        """The next image without an annotation, around the end of the list; None (and a word) if there is none."""
        images, here = self._desk.state.images, self._desk.state.index
        order = [*range(here + 1, len(images)), *range(here)]
        found = next((k for k in order if images[k].status in ("todo", "encoded")), None)
        if found is None:
            self._desk.say("good", "Every other image is done")
        return found

    def prefetch(self) -> Requests:
        """Encode the open image ahead of its first click; when nothing else is to do, the next ones too."""
        desk = self._desk
        background = desk.background()
        if not desk.state.images or any(isinstance(r, PrefetchRequest) for r in background):
            return ()
        here, image = desk.state.images[desk.state.index], desk.seen()
        known = desk.encoded.keys() | desk.passed
        if image is not None and here.name not in known:
            return (PrefetchRequest(desk.id(), here.path, image),)
        if background or desk.loading or desk.ahead.crowded:
            return ()
        following = desk.state.images[desk.state.index + 1 : desk.state.index + 1 + IMAGES_AHEAD]
        wanted = (e for e in following if e.status != "unreadable" and e.name not in known | desk.ahead.large)
        entry, planes = next(wanted, None), desk.store.reading.planes
        return (PrefetchRequest(desk.id(), entry.path, planes=planes),) if entry else ()

    def encoded(self, reply: Prefetched) -> None:
        """An image is encoded, or too large to be read before it is asked for."""
        desk, name = self._desk, self._desk.name_of(reply.path)
        if reply.image_key and not reply.encoded:
            desk.passed.add(name)
            return
        if not reply.encoded:
            desk.ahead = replace(desk.ahead, large=desk.ahead.large | {name})
            return
        desk.encoded[name] = reply.image_key
        desk.mark(name)

    def evicted(self, reply: Evicted) -> None:
        """Images are no longer encoded, and the list is updated; where memory is short, none is encoded ahead."""
        desk = self._desk
        gone = [name for name, key in desk.encoded.items() if key in reply.image_keys]
        near = {entry.name for entry in desk.state.images[desk.state.index : desk.state.index + 1 + IMAGES_AHEAD]}
        desk.ahead = replace(desk.ahead, crowded=desk.ahead.crowded or not near.isdisjoint(gone))
        for name in gone:
            del desk.encoded[name]
            desk.mark(name)

    def progressed(self, reply: Progress) -> None:
        """Update what the status bar says about the engine."""
        self._desk.change(activity=Phrase("{stage} {share:.0%}", stage=Phrase(reply.stage), share=reply.fraction))
