"""A process that is killed while it publishes weights: the last whole version is found on the next start, and work goes on."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from samtta_app.core.messages import RestoreRequest
from samtta_app.session.project.store import Store
from tests.unit.forks import Forks, forks
from tests.unit.session.scripted import Person

PUBLISHES = """
    import os, signal, sys, tempfile
    from pathlib import Path
    from samtta_app.session.project.store import Store
    from tests.unit.session.scripted import HEIGHT, WIDTH, accepted, report

    def die(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def half(handle: int, mode: str) -> None:
        os.write(handle, b"weig")
        die()

    def put_in_place(source: str, target: Path) -> None:
        os.rename(source, target)
        die()

    folder, moment = Path(sys.argv[1]), sys.argv[2]
    with Store.open(folder) as store:
        saved = store.accept(accepted(), WIDTH, HEIGHT)
        store.log_adaptation(report(saved.id, 1))
    store = Store.open(folder)
    saved = store.accept(accepted(), WIDTH, HEIGHT)
    if moment == "before the commit":
        store._db.set_trace_callback(lambda sql: die() if sql == "COMMIT" else None)
    elif moment == "before the file":
        tempfile.mkstemp = die
    elif moment == "within the file":
        os.fdopen = half
    elif moment == "before the sync":
        os.fsync = die
    elif moment == "before the file is in place":
        os.replace = die
    elif moment == "after the file is in place":
        os.replace = put_in_place
    store.log_adaptation(report(saved.id, 2))
    store.close()
"""

MOMENTS = {
    "before the commit": (1, 1),
    "before the file": (2, 1),
    "within the file": (2, 1),
    "before the sync": (2, 1),
    "before the file is in place": (2, 1),
    "after the file is in place": (2, 2),
}
"""When the process is killed; the version that the database names, and the one whose file is whole."""


@pytest.fixture(scope="module")
def program() -> Iterator[Forks]:
    with forks("samtta_app.session.project.store", "tests.unit.session.scripted") as loaded:
        yield loaded


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("moment", MOMENTS)
def test_the_last_whole_version_is_found_after_a_kill_and_publishing_goes_on(
    program: Forks, folder: Path, moment: str
) -> None:
    done = program.run(PUBLISHES, folder, moment)
    assert done.code == -signal.SIGKILL, done.said
    named, whole = MOMENTS[moment]
    with Store.open(folder) as store:
        assert len(store.annotations()) == 2
        assert store.published() == named
        assert store.weights(named) == (whole, f"weights {whole}".encode())
        person = Person(store).starts()
        (restored,) = (r for r in person.script.sent(RestoreRequest) if r.weights)  # type: ignore[attr-defined]
        assert isinstance(restored, RestoreRequest)
        assert (restored.version, restored.weights) == (whole, f"weights {whole}".encode())
        assert person.state.adaptation.version == whole
        said = person.state.message
        if named == whole:
            assert said is None
        else:
            assert said.text == "The weights of version 2 are damaged or gone; going on with version 1"
        person.accepts(30, 30)
        assert person.state.adaptation.version == whole + 1
    with Store.open(folder) as store:
        assert store.published() == whole + 1
        assert store.weights(whole + 1) == (whole + 1, f"weights {whole + 1}".encode())
    left = sorted(path.name for path in (folder / ".samtta" / "weights").iterdir())
    assert left == [f"v{version:04d}.safetensors" for version in range(1, whole + 2)]
