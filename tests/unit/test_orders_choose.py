"""Which order system the settings name, and what `make check` says of it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from bot.check import orders as check_orders
from bot.orders.checks import asked
from bot.orders.choose import DEMO_FILE, make_orders
from bot.orders.contract import NotAllowed, Operation, Unavailable
from bot.orders.policy import Policy
from bot.orders.policy_file import load
from bot.settings import ROOT, Settings
from bot.settings_text import explain


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    def make(**values: Any) -> Settings:
        return Settings(_env_file=None, **{"data_dir": tmp_path, **values})

    return make


HTTP = {"orders": "http", "orders_url": "https://shop.example/rapport", "orders_token": "t0ken"}
SHOPIFY = {"orders": "shopify", "shopify_domain": "a.myshopify.com", "shopify_token": "shpat_1"}


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"orders": "http"}, "ORDERS=http needs ORDERS_URL and ORDERS_TOKEN"),
        (HTTP | {"orders_token": ""}, "ORDERS=http needs ORDERS_URL and ORDERS_TOKEN"),
        (HTTP | {"orders_url": ""}, "ORDERS=http needs ORDERS_URL and ORDERS_TOKEN"),
        ({"orders": "shopify"}, "ORDERS=shopify needs SHOPIFY_DOMAIN and SHOPIFY_TOKEN"),
        (SHOPIFY | {"shopify_token": ""}, "ORDERS=shopify needs SHOPIFY_DOMAIN and SHOPIFY_TOKEN"),
        ({"orders_token": "t0ken"}, "set ORDERS=http, or delete ORDERS_TOKEN"),
        ({"shopify_domain": "a.myshopify.com"}, "set ORDERS=shopify, or delete SHOPIFY_DOMAIN"),
        (HTTP | {"shopify_token": "shpat_1"}, "set ORDERS=shopify, or delete SHOPIFY_TOKEN"),
    ],
)
def test_half_a_shop_is_refused(settings, values, told):
    with pytest.raises(ValidationError) as caught:
        settings(**values)
    (said,) = explain(caught.value)
    assert told in said and "t0ken" not in said and "shpat_1" not in said


@pytest.mark.parametrize("values", [HTTP, SHOPIFY])
def test_a_shop_may_be_switched_off(settings, values):
    off = settings(**values | {"orders": "none"})
    assert make_orders(off) is None
    (finding,) = check_orders(off)
    assert finding.level == "ok" and "ORDERS=none" in finding.what


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"orders": "magento"}, "ORDERS: Input should be 'demo', 'none', 'http' or 'shopify'"),
        (HTTP | {"orders_url": "shop.example"}, "ORDERS_URL: write an address like"),
        (HTTP | {"orders_url": "https://a:b@shop.example"}, "ORDERS_TOKEN"),
        (HTTP | {"orders_token": ["t0ken"]}, "ORDERS_TOKEN: "),
    ],
)
def test_values_that_are_none(settings, values, told):
    with pytest.raises(ValidationError) as caught:
        settings(**values)
    found = explain(caught.value)
    assert any(told in it for it in found) and not any("t0ken" in it for it in found)


def test_the_file_that_others_name(settings):
    assert settings().orders_file == ROOT / "orders.yml"
    assert settings(orders_file="mine/orders.yml").orders_file == ROOT / "mine" / "orders.yml"


# ---------------------------------------------------------------- the systems themselves


def test_the_demo_shop_is_made_where_data_is_kept(settings, tmp_path):
    pytest.importorskip("bot.orders.demo")
    shop = make_orders(settings())
    assert shop is not None and shop.name == "demo"
    found = asyncio.run(_check_and_close(shop))
    assert found and (tmp_path / DEMO_FILE).exists()


async def _check_and_close(shop) -> str:
    try:
        return await shop.check()
    finally:
        await shop.close()


def test_a_check_makes_no_demo_shop(settings, tmp_path):
    told = [it.what for it in check_orders(settings())]
    assert not (tmp_path / DEMO_FILE).exists()
    assert "orders are invented: they are the demo shop's (ORDERS=demo)" in told[-1]


def test_a_shop_behind_our_contract_that_is_down(settings):
    pytest.importorskip("bot.orders.http")
    *_, finding = check_orders(settings(**HTTP | {"orders_url": "http://127.0.0.1:9/rapport"}))
    assert finding.level == "error" and "colleague" in finding.why


def test_a_plain_address_is_warned_of(settings):
    values = HTTP | {"orders_url": "http://shop.invalid/rapport"}
    told = []
    try:
        for finding in check_orders(settings(**values)):
            told.append(finding)
    except ModuleNotFoundError:
        pass
    assert ("warning", "ORDERS_URL is not https") in [(it.level, it.what) for it in told]


def test_a_shopify_shop_is_one_of_shopifys(settings):
    pytest.importorskip("bot.orders.shopify")
    assert make_orders(settings(**SHOPIFY)).name == "Shopify"
    with pytest.raises(ValueError, match="SHOPIFY_DOMAIN"):
        make_orders(settings(**SHOPIFY | {"shopify_domain": "shop.example.com"}))


class Shop:
    """Answers its check as it is told to."""

    name = "a shop"

    def __init__(self, answer: str | Exception, can=frozenset(Operation)):
        self.answer, self.can, self.closed = answer, can, False

    async def check(self) -> str:
        if isinstance(self.answer, Exception):
            raise self.answer
        if not self.answer:
            await asyncio.sleep(60)
        return self.answer

    async def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(
    ("answer", "level", "told"),
    [
        ("Ada's shop 3", "ok", "orders come from Ada's shop 3"),
        (Unavailable("is ORDERS_URL right?"), "error", "a shop: is ORDERS_URL right?"),
        (NotAllowed("the key may not read orders"), "error", "may not read orders"),
        ("", "error", "no answer within 0.1 seconds"),
    ],
)
def test_what_a_shop_says_of_itself(answer, level, told):
    shop = Shop(answer)
    begun = time.monotonic()
    (finding,) = asked(shop, Policy(), patience=0.1)
    assert finding.level == level and told in finding.what
    assert shop.closed and time.monotonic() - begun < 5


def test_what_a_shop_cannot_do_is_said():
    can = frozenset(Operation) - {Operation.GIVE_CREDIT, Operation.POINTS}
    good, warned = asked(Shop("Ada's shop", can), load(ROOT / "orders.yml"))
    assert good.what.endswith("left to colleagues: give credit, points")
    assert warned.level == "warning" and "£5.00" in warned.what


def test_mistakes_in_the_rules_are_told_with_their_lines(settings, tmp_path):
    path = tmp_path / "orders.yml"
    text = (ROOT / "orders.yml").read_text(encoding="utf-8")
    path.write_text(text.replace("60 days", "60 dayz").replace("£5,", "five,"), encoding="utf-8")
    found = [it for it in check_orders(settings(orders_file=path)) if it.level == "error"]
    assert len(found) == 2
    assert all(it.why == "Rapport does not start" and str(path) in it.fix for it in found)
