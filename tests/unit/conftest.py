"""What every unit test starts from."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """A command that ran in this process has set up logging, to a stream that is closed by now."""
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def same_umask() -> Iterator[None]:
    """The commands make files for nobody else's eyes; the next test shall not inherit that."""
    before = os.umask(0o077)
    os.umask(before)
    yield
    os.umask(before)
