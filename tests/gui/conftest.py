"""What holds for every test with widgets: they are gone when it ends, and the next one begins in the same theme."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import QCoreApplication, QEvent

from samtta_app.gui import theme


@pytest.fixture(autouse=True)
def no_widget_left(qapp) -> Iterator[None]:
    """Delete what the test has closed: a theme dresses every widget that is alive."""
    theme.choose(qapp, "light")
    yield
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
