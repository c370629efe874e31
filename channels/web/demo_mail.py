"""The mailbox of the demo shop's invented customers: where the codes of the demo arrive."""

from __future__ import annotations

from html import escape

from fastapi import APIRouter
from fastapi.responses import HTMLResponse

from bot.jobs.ways import Mailbox


def router(mailbox: Mailbox, business: str) -> APIRouter:
    """The page under ``/demo/mail``."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/demo/mail", response_class=HTMLResponse)
    def mail() -> HTMLResponse:
        letters = "".join(
            f"<article><h2>To {escape(it.to)}</h2><p><time>{it.at:%H:%M:%S} UTC</time></p>"
            f"<p>{escape(it.text)}</p></article>"
            for it in mailbox.letters()
        )
        nothing = "<p>No mail yet. A code arrives here when you ask for a change to an order.</p>"
        page = (
            f'<!doctype html><html lang="en"><head><meta charset="utf-8">'
            f'<meta name="viewport" content="width=device-width, initial-scale=1">'
            f"<title>Mail of {escape(business)}’s invented customers</title>"
            f'<link rel="stylesheet" href="/widget/shop.css"></head><body><main>'
            f"<h1>Mail of {escape(business)}’s invented customers</h1>"
            f"<p>Only the demo shop has this page: its mail is sent to nobody.</p>"
            f"{letters or nothing}</main></body></html>"
        )
        policy = "default-src 'none'; style-src 'self'; frame-ancestors 'none'; base-uri 'none'"
        return HTMLResponse(
            page, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"}
        )

    return routes
