"""What every unit test starts from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """A command that ran in this process has set up logging, to a stream that is closed by now."""
    yield
    structlog.reset_defaults()
