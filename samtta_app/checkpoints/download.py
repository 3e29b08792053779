"""Downloads of known models: mirrors in turn, hashes by pooch; a file appears in the model folder when it is whole and right.

Nothing is ever downloaded without being asked. Proxies are those of the environment (HTTPS_PROXY, NO_PROXY).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pooch

from samtta_app.checkpoints.model_catalogue import SOURCES_NEEDED, KnownModel
from samtta_app.checkpoints.partial_files import DOWNLOADS, part_of_download
from samtta_app.checkpoints.resumed_transfer import NoAnswerError, RefusedError, ResumedTransfer
from samtta_app.core.atomic_exchange import locked
from samtta_app.core.messages import ReportProgress
from samtta_app.errors import DownloadError, ExportError
from samtta_app.phrases import Phrase
from samtta_app.settings import model_folder

MIRROR_VARIABLE = "SAMTTA_MIRROR"
"""Names the address of a folder with the files, for example an institute's own; it is tried first."""

log = logging.getLogger(__name__)


def download(model: KnownModel, progress: ReportProgress = lambda share, words: None) -> Path:
    """Download a model into the model folder; a download that was broken off goes on.

    Args:
        progress: is told the share, 0 .. 1, and a few words; an error that it raises cancels, and what arrived stays.

    Raises:
        DownloadError: it is not to be downloaded, or no mirror serves it, or there is no room, or another one is under way.
    """
    path = model_folder() / model.file
    _require_downloadable(model)
    if os.path.lexists(path):
        return _present(model, path)
    try:
        with _folder_of_downloads() as folder:
            whole = _from_mirrors(model, folder, progress)
            os.replace(whole, path)
    except OSError as error:
        what = Phrase("{title} was not downloaded: {value}", title=model.title, value=error.strerror or error)
        raise DownloadError(what, path, "Check the folder's rights and the disk") from error
    return path


def addresses(model: KnownModel) -> tuple[str, ...]:
    """Where a model is had, in the order in which it is tried: the mirror of the environment first."""
    mirror = os.environ.get(MIRROR_VARIABLE, "").strip().rstrip("/")
    own = (f"{mirror}/{model.file}",) if mirror else ()
    return (*own, *model.urls)


def _require_downloadable(model: KnownModel) -> None:
    if model.shipped:
        raise DownloadError(Phrase("{title} comes with samtta: there is nothing to download", title=model.title))
    if not model.downloadable:
        what = Phrase(
            "{title} is not downloaded: its hash is not confirmed by {sources_needed} independent sources",
            title=model.title,
            sources_needed=SOURCES_NEEDED,
        )
        raise DownloadError(what, do=Phrase("Get {by_hand}", by_hand=_by_hand(model)))


def _present(model: KnownModel, path: Path) -> Path:
    """The file that is there already, if it is the right one."""
    if path.is_file() and pooch.file_hash(str(path), alg="sha256") == model.sha256:
        return path
    what = Phrase("Another file than {title} has its name already", title=model.title)
    raise DownloadError(what, path, Phrase("Rename it, or say samtta models remove {name}", name=model.name))


@contextmanager
def _folder_of_downloads() -> Iterator[Path]:
    """The folder, for one download at a time; it is gone when nothing lies in it."""
    folder = model_folder() / DOWNLOADS
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with locked(folder):
            for left in folder.glob("tmp*"):  # pooch's, of a process that was killed
                left.unlink(missing_ok=True)
            yield folder
        with suppress(OSError):
            folder.rmdir()  # stays while a partial file lies in it
    except ExportError as error:
        raise DownloadError("Another download is under way", folder, "Wait until it ends, or cancel it") from error


def _from_mirrors(model: KnownModel, folder: Path, progress: ReportProgress) -> Path:
    """The whole and right file in the folder of downloads."""
    failed: list[tuple[str, str, bool]] = []
    for url in addresses(model):
        host = _host(url)
        try:
            return _from_mirror(model, url, folder, progress)
        except RefusedError as error:
            failed.append((host, str(error), True))
        except NoAnswerError as error:
            failed.append((host, str(error), False))
        log.info("%s from %s: %s", model.file, url, failed[-1][1])
    raise _not_downloaded(model, failed)


def _from_mirror(model: KnownModel, url: str, folder: Path, progress: ReportProgress) -> Path:
    """The file from one address; where a partial file turns out to be of another one, it is downloaded from the start.

    Raises:
        RefusedError, NoAnswerError: as in `ResumedTransfer`, or the hash is wrong.
    """
    pooch.get_logger().setLevel(logging.WARNING)  # it tells on standard error what the progress tells already
    part = part_of_download(model)
    transfer = ResumedTransfer(model, part, progress)
    try:
        whole = pooch.retrieve(
            url, f"sha256:{model.sha256}", fname=model.file, path=folder, downloader=transfer, progressbar=False
        )
    except ValueError as error:  # pooch's, for a wrong hash; it has removed the file
        part.drop()
        if transfer.resumed:
            return _from_mirror(model, url, folder, progress)
        raise RefusedError("its file has another hash (sha256)") from error
    part.drop()
    return Path(whole)


KEPT_SHARE = "What arrived is kept ({share:.0%}): the next download goes on."
CHECK_NETWORK = "Check network and proxy (HTTPS_PROXY)."


def _not_downloaded(model: KnownModel, failed: list[tuple[str, str, bool]]) -> DownloadError:
    """One line: what every mirror said, and what to do."""
    received = part_of_download(model).received
    reasons = "; ".join(f"{host}: {reason}" for host, reason, _ in failed)
    advice = [Phrase(KEPT_SHARE, share=received / model.size)] if received else []
    advice += [] if any(answered for _, _, answered in failed) else [Phrase(CHECK_NETWORK)]
    advice.append(Phrase("Try again later, or get {by_hand}", by_hand=_by_hand(model)))
    return DownloadError(
        Phrase("{title} was not downloaded ({reasons})", title=model.title, reasons=reasons),
        do=Phrase.joined(" ", advice),
    )


def _host(url: str) -> str:
    """The host of an address, without a user's name and password; the address itself where it is none."""
    return url.partition("//")[2].partition("/")[0].rpartition("@")[2] or url


def _by_hand(model: KnownModel) -> str:
    return Phrase("{url} by other means, and say samtta models add FILE", url=model.urls[0])
