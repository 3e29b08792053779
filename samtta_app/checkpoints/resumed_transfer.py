"""One file over HTTP from one address, in a partial file that a later transfer goes on with; pooch calls it.

A server may break off, ignore the wish to resume, announce a wrong length, or hold another file by now. Nothing that it
says is trusted: lengths are compared with what is known, and pooch compares the hash of the whole file at the end.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import requests

from samtta_app.checkpoints.model_catalogue import KnownModel, size_words
from samtta_app.checkpoints.partial_files import PartialFile
from samtta_app.core.messages import ReportProgress
from samtta_app.errors import DownloadError
from samtta_app.phrases import Phrase

CHUNK = 1 << 16
"""Bytes between two looks at whether the transfer was cancelled, and the most that are lost when a server breaks off."""

TIMEOUT = (10.0, 30.0)
"""Seconds to wait for a connection, and for the next bytes: a slow proxy takes some of them to look through a file."""

TRIES = 3
"""Times that a server may break off without a new byte before it is given up."""

SPARED = 200_000_000
"""Bytes that stay free on the disk, for accepted masks."""

_FULL = (errno.ENOSPC, errno.EDQUOT)


class RefusedError(Exception):
    """What this address serves cannot be the file; the text says why."""


class NoAnswerError(Exception):
    """The address cannot be reached, or breaks off every time; what has arrived stays."""


class _StartAgainError(Exception):
    """The partial file does not fit what the server has, and was dropped."""


class ResumedTransfer:
    """A downloader for pooch: goes on with a partial file, and hands it over when it is whole.

    Args:
        model: what is expected.
        part: its partial file.
        progress: is told the share, 0 .. 1; an error that it raises ends the transfer, and the partial file stays.
    """

    def __init__(self, model: KnownModel, part: PartialFile, progress: ReportProgress) -> None:
        self._model, self._part, self._progress = model, part, progress
        self.resumed = part.received > 0

    def __call__(self, url: str, output_file: str, pooch: object, check_only: bool = False) -> None:
        """Transfer to the end; `output_file` gets the whole file.

        Raises:
            RefusedError: the server has no such file, or another one.
            NoAnswerError: the server cannot be reached, or breaks off again and again.
            DownloadError: the disk is full.
        """
        furthest, idle = self._part.received, 0
        while True:
            try:
                self._stream(url)
                break
            except (_StartAgainError, requests.RequestException) as error:
                further = self._part.received > furthest
                furthest, idle = max(furthest, self._part.received), 0 if further else idle + 1
                if idle == TRIES or not (further or self._answers(error)):
                    raise NoAnswerError(_reason(error, self._part.received)) from error
        self._progress(1.0, "comparing its hash")
        os.replace(self._part.path, output_file)

    def _answers(self, error: Exception) -> bool:
        """Whether it makes sense to ask this server again: not where no connection was made at all."""
        return not isinstance(error, requests.ConnectionError | requests.exceptions.InvalidURL)

    def _stream(self, url: str) -> None:
        """One request; it returns when the file is whole.

        Raises:
            RequestException: the server broke off.
        """
        have = self._part.received
        with requests.get(url, stream=True, timeout=TIMEOUT, headers=self._asked(url, have)) as response:
            if response.status_code == 416 and _span(response) == (None, have):
                return
            start, total = self._begin(response, have)
            self._require_room((total or self._model.size) - start)
            self._part.describe(url, response.headers, total)
            self._write(response, start, total)
            if total is not None and self._part.received < total:
                raise requests.exceptions.ChunkedEncodingError("the server broke off")

    def _asked(self, url: str, have: int) -> dict[str, str]:
        """The headers of a request: the rest of the file, if it is still the same one."""
        asked = {"Accept-Encoding": "identity"}
        if have:
            asked["Range"] = f"bytes={have}-"
            validator = self._part.record.get("validator")
            if validator and self._part.record.get("url") == url:
                asked["If-Range"] = str(validator)
        return asked

    def _begin(self, response: requests.Response, have: int) -> tuple[int, int | None]:
        """Where the bytes that follow belong, and the length of the whole file, None where it is not said.

        Raises:
            RefusedError: this is not the file.
            _StartAgainError: the server holds another file than the partial one; that was dropped.
        """
        if response.status_code == 416:
            self._start_again()
        if response.status_code not in (200, 206):
            raise RefusedError(f"answers {response.status_code} {response.reason}".strip())
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise RefusedError("sends the file in another encoding")
        start, total = (0, _length(response)) if response.status_code == 200 else _span(response)
        if start not in (0, have):
            self._start_again()
        if self._model.exact and total not in (None, self._model.size):
            raise RefusedError(
                Phrase("has another file, of {total:,} bytes instead of {size:,}", total=total, size=self._model.size)
            )
        known = self._part.record.get("total")
        if start and known is not None and total != known:
            self._start_again()
        return start or 0, self._model.size if total is None and self._model.exact else total

    def _start_again(self) -> None:
        self._part.drop()
        raise _StartAgainError("the file on the server has changed")

    def _write(self, response: requests.Response, start: int, total: int | None) -> None:
        """Append what arrives from `start` on."""
        host, done = urlsplit(response.url).hostname, start
        most = total or round(1.2 * self._model.size)  # sizes that are not exact are at most some percent off
        try:
            with open(self._part.path, "r+b" if start else "wb") as file:
                file.seek(start)
                for chunk in response.iter_content(CHUNK):
                    done += len(chunk)
                    if done > most:
                        raise RefusedError(Phrase("sends more than {most:,} bytes", most=most))
                    file.write(chunk)
                    file.flush()
                    self._progress(
                        done / most,
                        Phrase("{done} of {size} from {host}", done=size_words(done), size=size_words(most), host=host),
                    )
                os.fsync(file.fileno())
        except RefusedError:
            self._part.drop()
            raise
        except OSError as error:
            if isinstance(error, requests.RequestException) or error.errno not in _FULL:
                raise
            self._part.drop()
            raise _no_room(self._part.path, most - start) from error

    def _require_room(self, needed: int) -> None:
        if shutil.disk_usage(self._part.path.parent).free < needed + SPARED:
            raise _no_room(self._part.path, needed)


def _no_room(path: Path, needed: int) -> DownloadError:
    """What arrived of it is removed, so that accepted masks still find room."""
    what = Phrase("The disk has no room for the model: {size_words} are needed", size_words=size_words(needed))
    return DownloadError(what, path.parent, "Free some space, and download it again")


def _length(response: requests.Response) -> int | None:
    said = response.headers.get("Content-Length", "")
    return int(said) if re.fullmatch(r"\d{1,15}", said) else None


def _span(response: requests.Response) -> tuple[int | None, int | None]:
    """First byte and length of the whole file, as Content-Range says; None for what it does not say."""
    said = re.fullmatch(
        r"bytes (?:(\d{1,15})-\d{1,15}|\*)/(?:(\d{1,15})|\*)", response.headers.get("Content-Range", "")
    )
    first, total = said.groups() if said else (None, None)
    return (None if first is None else int(first)), (None if total is None else int(total))


def _reason(error: Exception, received: int) -> str:
    if isinstance(error, requests.exceptions.ProxyError):
        return "the proxy does not answer"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not valid"
    if isinstance(error, requests.Timeout):
        return "it does not answer in time"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return f"it breaks off after {size_words(received)}"
    if isinstance(error, requests.ConnectionError):
        return "there is no connection" if not received else "the connection broke"
    return str(error).splitlines()[0][:120] if str(error) else type(error).__name__
