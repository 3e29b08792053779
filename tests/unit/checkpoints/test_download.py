"""A download ends in the whole and right file or in one line that says why; what has arrived is not fetched twice."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import stat
import subprocess
import sys
import threading
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import pytest

from samtta_app.checkpoints import resumed_transfer
from samtta_app.checkpoints.download import MIRROR_VARIABLE, addresses, download
from samtta_app.checkpoints.partial_files import DOWNLOADS, part_of_download
from samtta_app.core.files import MODE
from samtta_app.errors import DownloadError, UserError
from samtta_app.settings import model_folder
from tests.unit.checkpoints.file_server import CONTENT, OTHER, Served, known, serving

ROOT = Path(__file__).resolve().parents[3]
Shares = list[float]
PART = 9 << 16
"""Where servers break off: whole chunks."""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers of these tests are on this machine."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy", MIRROR_VARIABLE):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


class EnoughError(UserError):
    """What a user who cancels raises."""


def until(share: float):
    """A progress that cancels at this share."""

    def told(done: float, words: str) -> None:
        if done >= share:
            raise EnoughError("cancelled")

    return told


def files() -> list[str]:
    """Everything in the model folder."""
    return sorted(path.relative_to(model_folder()).as_posix() for path in model_folder().rglob("*") if path.is_file())


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


# --- all goes well ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ranges", [True, False])
def test_the_file_is_there_whole_and_nothing_else(ranges: bool):
    shares: Shares = []
    with serving(Served(ranges=ranges)) as address:
        path = download(known(address), lambda share, words: shares.append(share))
    assert path == model_folder() / "tiny.pth"
    assert path.read_bytes() == CONTENT
    assert files() == ["tiny.pth"]
    assert not (model_folder() / DOWNLOADS).exists()
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


def test_the_file_can_be_read_by_those_who_read_other_files():
    with serving(Served()) as address:
        assert stat.S_IMODE(download(known(address)).stat().st_mode) == MODE


def test_a_file_that_is_there_is_not_downloaded_again():
    served = Served()
    with serving(served) as address:
        download(known(address))
        assert download(known(address)).read_bytes() == CONTENT
    assert len(served.asked) == 1


def test_progress_says_how_much_from_where():
    said: list[str] = []
    with serving(Served()) as address:
        download(known(address), lambda share, words: said.append(words))
    assert said[0] == "0.1 MB of 1.5 MB from 127.0.0.1"
    assert said[-1] == "comparing its hash"


def test_a_server_that_announces_no_length_is_believed_by_the_hash():
    with serving(Served(says=-1)) as address:
        assert download(known(address, exact=False)).read_bytes() == CONTENT


# --- broken off and resumed -------------------------------------------------------------------------------------------


def test_a_connection_that_breaks_off_is_resumed_at_once():
    served = Served(breaks=[PART, PART // 3, None])
    with serving(served) as address:
        assert download(known(address)).read_bytes() == CONTENT
    assert [wish for _, wish in served.asked] == ["", f"bytes={PART}-", f"bytes={PART * 4 // 3}-"]


def test_a_server_without_ranges_that_breaks_off_is_read_from_the_start():
    served = Served(ranges=False, breaks=[PART, None])
    with serving(served) as address:
        assert download(known(address)).read_bytes() == CONTENT
    assert len(served.asked) == 2


def test_a_server_that_breaks_off_for_ever_is_given_up_and_what_arrived_stays():
    served = Served(breaks=[PART, 0])
    with serving(served) as address, pytest.raises(DownloadError) as caught:
        download(known(address))
    assert "breaks off after 0.6 MB" in str(caught.value)
    assert "What arrived is kept (39%)" in caught.value.do
    assert part_of_download(known()).received == PART
    assert not (model_folder() / "tiny.pth").exists()


def test_a_server_without_ranges_that_breaks_off_for_ever_is_given_up_too():
    served = Served(ranges=False, breaks=[PART])
    with serving(served) as address, pytest.raises(DownloadError, match="breaks off"):
        download(known(address))
    assert 2 <= len(served.asked) <= 5


def test_a_cancelled_download_goes_on_where_it_was():
    served = Served()
    with serving(served) as address:
        with pytest.raises(EnoughError):
            download(known(address), until(0.5))
        arrived = part_of_download(known()).received
        assert 0.4 * len(CONTENT) < arrived < 0.8 * len(CONTENT)
        assert not (model_folder() / "tiny.pth").exists()
        assert download(known(address)).read_bytes() == CONTENT
    assert served.asked[1][1] == f"bytes={arrived}-"
    assert files() == ["tiny.pth"]


def test_a_download_that_was_cancelled_with_the_last_byte_needs_no_other_request_than_one():
    served = Served()
    with serving(served) as address:
        with pytest.raises(EnoughError):
            download(known(address), until(1.0))
        assert download(known(address)).read_bytes() == CONTENT
    assert [wish for _, wish in served.asked] == ["", f"bytes={len(CONTENT)}-"]


def test_another_file_on_the_server_is_noticed_by_its_tag_and_read_from_the_start():
    first, second = Served(content=OTHER, tag='"old"'), Served(tag='"new"')
    with serving(first) as address, pytest.raises(EnoughError):
        download(known(address), until(0.5))
    part = part_of_download(known())
    with serving(second) as address:
        part.describe(f"{address}/tiny.pth", {"ETag": '"old"'}, len(CONTENT))  # the same address, another file
        assert download(known(address)).read_bytes() == CONTENT
    assert len(second.asked) == 1


def test_another_file_on_the_server_is_noticed_by_its_length():
    first, second = Served(content=OTHER + b"more", tag=""), Served(tag="")
    model = known(exact=False)
    with serving(first) as address, pytest.raises(EnoughError):
        download(replace(model, urls=(f"{address}/tiny.pth",)), until(0.5))
    with serving(second) as address:
        assert download(replace(model, urls=(f"{address}/tiny.pth",))).read_bytes() == CONTENT
    assert [bool(wish) for _, wish in second.asked] == [True, False]


def test_another_file_on_the_server_is_noticed_by_the_hash():
    first, second = Served(content=OTHER, tag=""), Served(tag="")
    with serving(first) as address, pytest.raises(EnoughError):
        download(known(address), until(0.5))
    with serving(second) as address:
        assert download(known(address)).read_bytes() == CONTENT
    assert [bool(wish) for _, wish in second.asked] == [True, False]


def test_a_part_that_is_longer_than_the_file_is_dropped():
    part = part_of_download(known())
    part.path.parent.mkdir(parents=True)
    part.path.write_bytes(CONTENT + OTHER)
    with serving(Served()) as address:
        assert download(known(address)).read_bytes() == CONTENT


@pytest.mark.parametrize("record", [b"", b"{", b"[1]", b'{"validator": 3, "total": "x"}'])
def test_a_damaged_record_does_no_harm(record: bytes):
    part = part_of_download(known())
    part.path.parent.mkdir(parents=True)
    part.path.write_bytes(CONTENT[:PART])
    part.path.with_name(f"{part.path.name}.json").write_bytes(record)
    with serving(Served()) as address:
        assert download(known(address)).read_bytes() == CONTENT
    assert files() == ["tiny.pth"]


def test_what_another_version_of_the_file_has_left_is_not_gone_on_with():
    old = known(sha256="0" * 64)
    part = part_of_download(old)
    part.path.parent.mkdir(parents=True)
    part.path.write_bytes(OTHER[:1000])
    served = Served()
    with serving(served) as address:
        assert download(known(address)).read_bytes() == CONTENT
    assert served.asked[0][1] == ""


def test_a_killed_process_leaves_what_has_arrived_and_no_lock():
    served = Served(gate=threading.Event())
    code = "import sys; from samtta_app.checkpoints.download import download; "
    code += "from tests.unit.checkpoints.file_server import known; "
    code += "download(known(sys.argv[1]), lambda share, words: print(share, flush=True))"
    with serving(served) as address:
        command = [sys.executable, "-c", code, address]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            for _ in range(PART >> 16):
                assert process.stdout.readline()
            process.kill()
        arrived = part_of_download(known()).received
        assert arrived >= PART - (1 << 16)
        served.gate.set()
        assert download(known(address)).read_bytes() == CONTENT
    assert served.asked[1][1] == f"bytes={arrived}-"
    assert files() == ["tiny.pth"]


def test_a_server_that_falls_silent_is_asked_for_the_rest(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(resumed_transfer, "TIMEOUT", (10.0, 0.7))
    served = Served(gate=threading.Event())
    with serving(served) as address:
        assert download(known(address)).read_bytes() == CONTENT
    assert len(served.asked) >= 3


def test_an_address_that_leads_to_another_one_is_followed():
    good = Served()
    with serving(good) as there, serving(Served(status=302, headers={"Location": f"{there}/real.pth"})) as address:
        assert download(known(address)).read_bytes() == CONTENT
    assert [path for path, _ in good.asked] == ["/real.pth"]


# --- servers that lie -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("says", [len(CONTENT) - 1, len(CONTENT) + 1, 12])
def test_a_length_that_is_not_the_files_is_refused_before_a_byte_is_stored(says: int):
    with serving(Served(says=says)) as address, pytest.raises(DownloadError, match=f"of {says:,} bytes instead of"):
        download(known(address))
    assert files() == []


def test_a_server_that_announces_less_than_it_has_is_refused_by_the_hash():
    with serving(Served(says=1_200_000)) as address, pytest.raises(DownloadError, match="another hash"):
        download(known(address, exact=False))
    assert files() == []


def test_a_server_that_always_announces_more_than_it_has_is_given_up():
    served = Served(says=len(CONTENT) + 1000)
    with serving(served) as address, pytest.raises(DownloadError, match=r"breaks off|has changed"):
        download(known(address, exact=False))
    assert len(served.asked) <= 6
    assert not (model_folder() / "tiny.pth").exists()


def test_the_name_and_password_of_a_mirror_are_not_shown(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(MIRROR_VARIABLE, f"http://me:secret@127.0.0.1:{free_port()}")
    with pytest.raises(DownloadError) as caught:
        download(known(f"http://127.0.0.1:{free_port()}"))
    assert "secret" not in str(caught.value)


def test_a_server_that_sends_without_end_is_stopped():
    endless = Served(content=CONTENT * 3, says=-1)
    with serving(endless) as address, pytest.raises(DownloadError, match="sends more than 1,500,000 bytes"):
        download(known(address))
    assert files() == []


@pytest.mark.parametrize("exact", [True, False])
def test_another_file_is_refused_and_does_not_stay(exact: bool):
    with serving(Served(content=OTHER)) as address, pytest.raises(DownloadError, match="another hash") as caught:
        download(known(address, exact=exact))
    assert files() == []
    assert "kept" not in caught.value.do


def test_a_page_in_place_of_the_file_is_refused():
    page = Served(content=b"<html>Please sign in</html>", headers={"Content-Type": "text/html"})
    with serving(page) as address, pytest.raises(DownloadError, match="another file, of 27 bytes"):
        download(known(address))


def test_a_wrong_place_of_the_rest_is_not_believed():
    served = Served(headers={"Content-Range": "bytes 7-1499999/1500000"}, breaks=[PART, None])
    with serving(served) as address:
        assert download(known(address)).read_bytes() == CONTENT
    assert [bool(wish) for _, wish in served.asked] == [False, True, False]


def test_a_server_that_packs_the_file_is_refused():
    with serving(Served(headers={"Content-Encoding": "gzip"})) as address, pytest.raises(DownloadError) as caught:
        download(known(address))
    assert "another encoding" in str(caught.value)


# --- mirrors and the network ------------------------------------------------------------------------------------------


def test_mirrors_are_tried_in_turn():
    gone, lying, good = Served(status=404), Served(content=OTHER), Served()
    with serving(gone) as first, serving(lying) as second, serving(good) as third:
        closed = f"http://127.0.0.1:{free_port()}"
        assert download(known(closed, first, second, third)).read_bytes() == CONTENT
    assert [len(each.asked) for each in (gone, lying, good)] == [1, 1, 1]


def test_what_one_mirror_has_sent_is_gone_on_with_at_the_next():
    short, good = Served(breaks=[PART, 0]), Served(tag='"its own"')
    with serving(short) as first, serving(good) as second:
        assert download(known(first, second)).read_bytes() == CONTENT
    assert [wish for _, wish in good.asked] == [f"bytes={PART}-"]


def test_a_failure_names_what_every_mirror_said_in_one_line():
    with (
        serving(Served(status=404)) as first,
        serving(Served(content=OTHER)) as second,
        pytest.raises(DownloadError) as caught,
    ):
        download(known(first, second))
    text = str(caught.value)
    assert "\n" not in text
    assert "404" in text
    assert "another hash" in text
    assert "samtta models add FILE" in text
    assert "network" not in text


def test_the_mirror_of_the_environment_comes_first(monkeypatch: pytest.MonkeyPatch):
    own, official = Served(), Served()
    with serving(own) as mirror, serving(official) as address:
        monkeypatch.setenv(MIRROR_VARIABLE, f"{mirror}/files/")
        assert download(known(address)).read_bytes() == CONTENT
    assert [path for path, _ in own.asked] == ["/files/tiny.pth"]
    assert official.asked == []


@pytest.mark.parametrize("mirror", ["nonsense", "http://", "ftp://127.0.0.1/x", "http://[::1", "file:///etc"])
def test_a_mirror_that_is_no_address_is_passed_over(mirror: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(MIRROR_VARIABLE, mirror)
    with serving(Served()) as address:
        assert addresses(known(address))[0].startswith(mirror.rstrip("/"))
        assert download(known(address)).read_bytes() == CONTENT


def test_without_a_network_one_line_says_what_to_do():
    address = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(DownloadError) as caught:
        download(known(address))
    text = str(caught.value)
    assert "\n" not in text
    assert "there is no connection" in text
    assert "Check network and proxy (HTTPS_PROXY)" in text
    assert f"get {address}/tiny.pth by other means, and say samtta models add FILE" in text
    assert files() == []


def test_the_proxy_of_the_environment_is_asked(monkeypatch: pytest.MonkeyPatch):
    proxy = Served()
    with serving(proxy) as address:
        monkeypatch.setenv("http_proxy", address)
        assert download(known("http://models.invalid")).read_bytes() == CONTENT
    assert [path for path, _ in proxy.asked] == ["http://models.invalid/tiny.pth"]


def test_a_proxy_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(DownloadError, match="the proxy does not answer"):
        download(known("http://models.invalid"))


# --- refused before anything is asked ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"sources": ("one",)}, "not confirmed by 2 independent sources"),
        ({"sources": ("one", "one")}, "not confirmed by 2 independent sources"),
        ({"sha256": "", "sources": ()}, "not confirmed by 2 independent sources"),
        ({"shipped": True}, "comes with samtta"),
    ],
)
def test_what_is_not_to_be_downloaded_is_never_asked_for(changes: dict[str, object], why: str):
    served = Served()
    with serving(served) as address, pytest.raises(DownloadError, match=why):
        download(known(address, **changes))
    assert served.asked == []


def test_another_file_under_the_name_stays_as_it_is():
    model_folder().mkdir(parents=True)
    (model_folder() / "tiny.pth").write_bytes(b"mine")
    served = Served()
    with serving(served) as address, pytest.raises(DownloadError, match="has its name already"):
        download(known(address))
    assert served.asked == []
    assert (model_folder() / "tiny.pth").read_bytes() == b"mine"


def test_of_two_downloads_at_once_the_second_is_refused_and_the_first_ends_well():
    served, ends = Served(gate=threading.Event()), []
    with serving(served) as address:
        first = threading.Thread(target=lambda: ends.append(download(known(address))))
        first.start()
        assert served.begun.wait(30)
        with pytest.raises(DownloadError, match="Another download is under way"):
            download(known(address))
        served.gate.set()
        first.join()
    assert ends[0].read_bytes() == CONTENT


def test_what_a_killed_process_has_left_goes_with_the_next_download():
    folder = model_folder() / DOWNLOADS
    folder.mkdir(parents=True)
    (folder / "tmpabcdefgh").write_bytes(CONTENT)
    with serving(Served()) as address:
        download(known(address))
    assert files() == ["tiny.pth"]


# --- the disk ---------------------------------------------------------------------------------------------------------


def test_without_room_nothing_is_downloaded(monkeypatch: pytest.MonkeyPatch):
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage(10**12, 10**12, 201_000_000))
    with serving(Served()) as address, pytest.raises(DownloadError, match=r"no room for the model: 1\.5 MB"):
        download(known(address))
    assert files() == []


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a disk that is always full")
def test_a_disk_that_fills_up_ends_the_download_and_leaves_room_for_masks():
    part = part_of_download(known())
    part.path.parent.mkdir(parents=True)
    part.path.symlink_to("/dev/full")
    with serving(Served()) as address, pytest.raises(DownloadError, match="no room") as caught:
        download(known(address))
    assert "Free some space" in caught.value.do
    assert files() == []


@pytest.mark.skipif(os.geteuid() == 0 if hasattr(os, "geteuid") else True, reason="root may write everywhere")
def test_a_folder_that_may_not_be_written_is_said():
    model_folder().mkdir(parents=True)
    model_folder().chmod(0o500)
    with serving(Served()) as address, pytest.raises(DownloadError, match="was not downloaded"):
        download(known(address))
    model_folder().chmod(0o700)


def test_a_file_in_the_place_of_the_folder_is_said(samtta_home: Path):
    (samtta_home / "models").write_text("no folder")
    with serving(Served()) as address, pytest.raises(DownloadError, match="was not downloaded"):
        download(known(address))


def test_the_content_that_is_compared_is_that_of_the_catalogue():
    assert known().sha256 == hashlib.sha256(CONTENT).hexdigest()
