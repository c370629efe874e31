"""Can orders be looked up, and do the shop's rules hold with its articles? For `make check`."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from urllib.parse import urlsplit

from bot.findings import Finding, error, ok, warning
from bot.orders.choose import DEMO_FILE, make_orders
from bot.orders.contract import NotAllowed, Operation, OrderError, OrderSystem
from bot.orders.policy import Policy
from bot.orders.policy_file import load, stated
from bot.settings import ROOT, Settings
from bot.yaml_nodes import FileWrong

PATIENCE = 10.0  # seconds
DOCS = "docs/orders-policy.md"
UNANSWERED = "customers' orders are not looked up; each goes to a colleague"
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def check(settings: Settings) -> Iterator[Finding]:
    """What is wrong with the rules, the articles they name and the order system."""
    if settings.orders == "none":
        yield ok("orders are left to colleagues (ORDERS=none)")
        return
    policy = None
    path = settings.orders_file
    try:
        policy = load(path)
    except FileWrong as wrong:
        for problem in wrong.problems:
            yield error(str(problem), "Rapport does not start", f"correct {path}; see {DOCS}")
    if policy is not None:
        differing = list(_compared(settings))
        yield from differing
        if not differing:
            yield ok(f"{len(policy.articles)} rules for orders in {path.name}, as articles have it")
    yield from _system(settings, policy)


def _compared(settings: Settings) -> Iterator[Finding]:
    """Where rules and articles differ; `knowledge_base check` says the same to editors."""
    from knowledge_base.check.rules import page_of
    from knowledge_base.check.silence import heard
    from knowledge_base.check.stated import unstated
    from knowledge_base.folder import read_folder

    folder, path = settings.articles_dir, settings.orders_file
    pages = {it.id: page_of(it, folder) for it in read_folder(folder).articles}
    differing = unstated(stated(path, path.name), pages)
    for found in heard(differing, pages.values()):
        say = error if found.severity == "error" else warning
        yield say(
            f"{found.place.path}, line {found.place.line}: {found.message}",
            "customers are told one thing and read another",
            f"change {path} or the article",
        )


def _system(settings: Settings, policy: Policy | None) -> Iterator[Finding]:
    if settings.orders == "demo":
        yield from _demo(settings)
        if not (settings.data_dir / DEMO_FILE).exists():
            return  # it is made at the first start; a check makes nothing
    if settings.orders == "http":
        parts = urlsplit(settings.orders_url)
        if parts.scheme != "https" and parts.hostname not in LOOPBACK:
            yield warning(
                "ORDERS_URL is not https",
                "orders and ORDERS_TOKEN can be read on their way",
                "serve the shop's side by https, and correct ORDERS_URL",
            )
    try:
        shop = make_orders(settings)
    except ValueError as problem:
        yield error(str(problem), "Rapport does not start", "correct .env")
        return
    if shop is not None:
        yield from asked(shop, policy)


def _demo(settings: Settings) -> Iterator[Finding]:
    """Invented orders suit the demo shop, and nobody else's customers."""
    usual = Settings.model_fields["articles_dir"].default
    told = "orders are invented: they are the demo shop's (ORDERS=demo)"
    if settings.articles_dir.resolve() == (ROOT / usual).resolve() and not settings.public_url:
        yield ok(f"{told}; ORDERS=http or ORDERS=shopify asks a real one")
    else:
        yield warning(
            told,
            "no customer's own order is found, and every order that is found is nobody's",
            "set ORDERS=http or ORDERS=shopify, or ORDERS=none to leave orders to colleagues",
        )


def asked(
    shop: OrderSystem, policy: Policy | None, *, patience: float = PATIENCE
) -> Iterator[Finding]:
    """What the order system says of itself, within so many seconds.

    It is told what the rules ask of it and it cannot do.
    """
    try:
        name = asyncio.run(_answer(shop, patience))
    except TimeoutError:
        yield error(
            f"{shop.name}: no answer within {patience:g} seconds",
            UNANSWERED,
            "see whether the shop is up and can be reached from this machine",
        )
        return
    except NotAllowed as problem:
        yield error(f"{shop.name}: {problem}", UNANSWERED, "let our key do that, then check again")
        return
    except OrderError as problem:
        fix = "see whether the shop is up and the settings are right, then check again"
        yield error(f"{shop.name}: {problem}", UNANSWERED, fix)
        return
    missing = sorted(str(it).replace("_", " ") for it in Operation if it not in shop.can)
    left = f"; left to colleagues: {', '.join(missing)}" if missing else ""
    yield ok(f"orders come from {name}{left}")
    if policy and policy.late_credit and Operation.GIVE_CREDIT not in shop.can:
        yield warning(
            f"late_delivery offers {policy.late_credit}, and {shop.name} gives no vouchers",
            "it is never offered",
            "write “credit: none” in orders.yml, or let the shop's side give vouchers",
        )


async def _answer(shop: OrderSystem, patience: float) -> str:
    try:
        async with asyncio.timeout(patience):
            return await shop.check()
    finally:
        await shop.close()
