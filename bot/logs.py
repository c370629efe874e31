"""Logs: one JSON object a line, with ids and without customers' words."""

from __future__ import annotations

import logging
import sys
from typing import Any

import structlog


def configure(level: str) -> None:
    """Send every log line of this process to stderr as JSON.

    Raises:
        ValueError: ``level`` is none of Python's level names.
    """
    number = logging.getLevelNamesMapping().get(level.upper())
    if number is None:
        raise ValueError(f"LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not {level!r}")
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _trace,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    logging.basicConfig(handlers=[handler], level=number, force=True)
    for noisy in (
        "httpx",
        "httpcore",
        "watchfiles",
        "alembic",
        "uvicorn.error",
        "rasa_sdk",
        "bm25s",
    ):
        logging.getLogger(noisy).setLevel(max(number, logging.WARNING))


def _trace(_logger: Any, _method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Where an exception came from, without its message: that may quote what a customer wrote (a
    database error quotes the row)."""
    info = event.pop("exc_info", None)
    if not info:
        return event
    error = sys.exc_info()[1] if info is True else info[1] if isinstance(info, tuple) else info
    if error is None:
        return event
    event["error"] = type(error).__name__
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rsplit('/', 1)[-1]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    event["trace"] = frames[-12:]
    return event
