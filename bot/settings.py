"""The only reader of the environment.

Every setting has a default that suits one shop on one machine, and is overridden by an environment
variable of the same name in capitals, or by a line in ``.env`` (the environment wins).
"""

from __future__ import annotations

import re
import secrets
from functools import cached_property
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent


class Settings(BaseSettings):
    """Everything that differs between two installations of Rapport."""

    model_config = SettingsConfigDict(
        env_file=ROOT / ".env",
        env_file_encoding="utf-8",
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    business_name: str = Field("Northpeak", description="Name of the shop, shown to customers.")

    # Where it listens. The engine and the action listener are loopback only, always.
    host: str = Field("127.0.0.1", description="Address of the public web server.")
    port: int = Field(8080, ge=1, le=65535, description="Port of the public web server.")
    public_url: str = Field("", description="Address customers use; empty: http://HOST:PORT.")
    engine_port: int = Field(5005, ge=1, le=65535, description="Loopback port of the Rasa engine.")
    actions_port: int = Field(
        5055, ge=1, le=65535, description="Loopback port on which the engine calls our actions."
    )

    # Where things are kept.
    data_dir: Path = Field(ROOT / "var", description="Databases, secrets and logs.")
    articles_dir: Path = Field(
        ROOT / "knowledge_base" / "articles", description="The markdown that the bot answers from."
    )
    escalation_file: Path = Field(
        ROOT / "escalation.yml",
        description="The rules of when a person is needed; docs/escalation.md explains them.",
    )
    service_file: Path = Field(
        ROOT / "service.yml",
        description="Opening hours, queues, response times; docs/service.md explains them.",
    )
    orders_file: Path = Field(
        ROOT / "orders.yml",
        description="Rules for orders, returns and refunds; docs/orders-policy.md explains them.",
    )
    models_dir: Path = Field(
        ROOT / "models", description="Derived models; config.yml names the same folder."
    )
    database_url: SecretStr = Field(
        SecretStr(""),
        description="postgresql://user:password@host/name; empty: SQLite in DATA_DIR.",
    )
    tracker_database_url: SecretStr = Field(
        SecretStr(""), description="PostgreSQL for Rasa's tracker store; empty: SQLite in DATA_DIR."
    )

    encoder_model: str = Field(
        "", description="Folder or hub name of another sentence encoder; empty: all-MiniLM-L6-v2."
    )

    # Who may embed the widget, besides the gateway's own pages.
    widget_origins: str = Field(
        "", description="Origins that may embed the widget, comma separated: https://shop.example."
    )
    trusted_proxies: str = Field(
        "127.0.0.1", description="Addresses whose X-Forwarded-For is believed, comma separated."
    )

    engine_secret: SecretStr = Field(
        SecretStr(""),
        description="Shared secret of gateway and engine; empty: made at first start.",
    )
    desk_admin_email: str = Field(
        "agent@northpeak.example", description="The agent who is created at the first start."
    )

    # Who is told that a customer waits, besides the desk. Each is off while it is empty.
    smtp_url: SecretStr = Field(
        SecretStr(""),
        description="Mail server, smtp://user:password@host:587 (STARTTLS) or smtps://host:465.",
    )
    mail_from: str = Field("", description="Sender of our e-mails: Northpeak <help@shop.example>.")
    notify_mail: str = Field(
        "", description="Addresses that are told of waiting tickets, comma separated."
    )
    slack_bot_token: SecretStr = Field(
        SecretStr(""), description="xoxb-... of the Slack app that tells of waiting tickets."
    )
    slack_app_token: SecretStr = Field(
        SecretStr(""),
        description="xapp-...: staff may ask in Slack, by Socket Mode; channels/slack/README.md.",
    )
    slack_signing_secret: SecretStr = Field(
        SecretStr(""), description="The same by HTTP, where SLACK_APP_TOKEN is empty."
    )
    slack_api_url: str = Field(
        "https://slack.com/api/", description="Slack's API; another one to try it out."
    )
    slack_queues: str = Field(
        "",
        description="Channels in which tickets are served: general=C0123,urgent=C0456,*=C0789.",
    )
    slack_channel: str = Field("", description="Slack channel (id or #name) that is told.")
    webhook_url: str = Field("", description="Address that is told by a signed POST.")
    webhook_secret: SecretStr = Field(
        SecretStr(""), description="whsec_...: the key of Standard Webhooks that signs it."
    )

    identity_secret: SecretStr = Field(
        SecretStr(""),
        description="At least 32 characters; the shop's site signs who its customers are with it.",
    )
    phone_country: str = Field(
        "GB", description="Where phone numbers without a country code are at home."
    )

    # Where orders are. Others than the demo shop's need what stands below them.
    orders: Literal["demo", "none", "http", "shopify"] = Field(
        "demo",
        description="Where orders are: demo (invented ones), http (docs/orders-api.yaml), shopify, "
        "or none.",
    )
    orders_url: str = Field("", description="For ORDERS=http: https://shop.example/rapport.")
    orders_token: SecretStr = Field(SecretStr(""), description="The bearer token it asks for.")
    shopify_domain: str = Field("", description="For ORDERS=shopify: my-shop.myshopify.com.")
    shopify_token: SecretStr = Field(
        SecretStr(""),
        description="shpat_..., or CLIENT_ID:SECRET of the app that was made for it.",
    )
    shopify_api_url: str = Field(
        "", description="Shopify's API; another one to try it out. Empty: SHOPIFY_DOMAIN's."
    )

    # Text messages by Twilio; off while TWILIO_ACCOUNT_SID is empty. channels/sms/README.md explains.
    twilio_account_sid: str = Field("", description="AC...: the account that SMS_FROM belongs to.")
    twilio_auth_token: SecretStr = Field(SecretStr(""), description="Its auth token.")
    twilio_subaccounts: SecretStr = Field(
        SecretStr(""), description="Sub-accounts that may call us, AC...:token, comma separated."
    )
    twilio_shared_keys: SecretStr = Field(
        SecretStr(""),
        description="Shared keys of webhooks signed with SHA-256, id:secret, comma separated.",
    )
    twilio_api_url: str = Field(
        "https://api.twilio.com", description="Twilio's API; another one to try it out."
    )
    sms_from: str = Field("", description="+44..., or MG...: the SID of a Messaging Service.")
    sms_quiet: str = Field(
        "21:00-8:00",
        description="Where the customer is; then nothing is sent that is no answer. Empty: never.",
    )
    sms_daily_number: int = Field(60, ge=1, description="Texts to one number in a day.")
    sms_daily_country: int = Field(1000, ge=1, description="Texts to one country code in a day.")
    sms_countries: str = Field(
        "", description="Country codes that are texted, +44,+353; empty: all."
    )

    # Limits and times.
    max_message_characters: int = Field(4000, ge=100, description="Longer messages are refused.")
    message_rate: str = Field("20/10 seconds", description="Messages accepted per conversation.")
    conversation_rate: str = Field(
        "300/minute", description="Conversations that one address may open."
    )
    ask_seconds: float = Field(10.0, gt=0, le=25, description="Deadline of one engine turn.")
    lease_seconds: float = Field(
        20.0,
        gt=0,
        le=600,
        description="A crashed turn is taken up again after this; above ASK_SECONDS.",
    )
    answer_threshold: float | None = Field(
        None, ge=0, le=1, description="Confidence below which no article is shown; empty: as tuned."
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR.")

    @field_validator(
        "data_dir", "articles_dir", "models_dir", "escalation_file", "service_file", "orders_file"
    )
    @classmethod
    def _from_root(cls, value: Path) -> Path:
        """A relative path is meant from the project's root, wherever a command is started."""
        return value if value.is_absolute() else ROOT / value

    @field_validator("message_rate", "conversation_rate")
    @classmethod
    def _rate(cls, value: str) -> str:
        from limits import parse

        try:
            parse(value)
        except ValueError as error:
            raise ValueError(f"write a rate like '20/10 seconds', not {value!r}") from error
        return value

    @field_validator("widget_origins")
    @classmethod
    def _origins(cls, value: str) -> str:
        for origin in filter(None, (part.strip() for part in value.split(","))):
            parts = urlsplit(origin)
            if parts.scheme not in {"http", "https"} or not parts.netloc or parts.path:
                raise ValueError(f"write origins like 'https://shop.example', not {origin!r}")
        return value

    @field_validator("orders_url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
            raise ValueError("write an address like 'https://shop.example/rapport'")
        if parts.username or parts.query or parts.fragment:
            raise ValueError("write the address alone; what lets us in is ORDERS_TOKEN")
        return value

    @field_validator("identity_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr) -> SecretStr:
        if 0 < len(value.get_secret_value()) < 32:
            raise ValueError("IDENTITY_SECRET has at least 32 characters")
        return value

    @field_validator("sms_quiet")
    @classmethod
    def _quiet(cls, value: str) -> str:
        if value and not re.fullmatch(r"([01]?\d|2[0-3]):[0-5]\d-([01]?\d|2[0-3]):[0-5]\d", value):
            raise ValueError(f"write quiet hours like '21:00-8:00', not {value!r}")
        return value

    @field_validator("sms_countries")
    @classmethod
    def _countries(cls, value: str) -> str:
        for code in filter(None, (part.strip() for part in value.split(","))):
            if not re.fullmatch(r"\+\d{1,3}", code):
                raise ValueError(f"write country codes like '+44,+353', not {code!r}")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Settings:
        if self.lease_seconds <= self.ask_seconds + 2:
            raise ValueError("LEASE_SECONDS must exceed ASK_SECONDS by more than 2")
        if self.twilio_account_sid and not (
            self.twilio_auth_token.get_secret_value() and self.sms_from
        ):
            raise ValueError("TWILIO_ACCOUNT_SID needs TWILIO_AUTH_TOKEN and SMS_FROM")
        self._orders_complete()
        if len({self.port, self.engine_port, self.actions_port}) != 3:
            raise ValueError("PORT, ENGINE_PORT and ACTIONS_PORT must differ")
        return self

    def _orders_complete(self) -> None:
        """Half a shop is refused: it would show customers invented orders, or none."""
        needed = {
            "http": {
                "ORDERS_URL": self.orders_url,
                "ORDERS_TOKEN": self.orders_token.get_secret_value(),
            },
            "shopify": {
                "SHOPIFY_DOMAIN": self.shopify_domain,
                "SHOPIFY_TOKEN": self.shopify_token.get_secret_value(),
            },
        }
        for name, values in needed.items():
            there = [it for it, value in values.items() if value]
            if self.orders == name and len(there) < len(values):
                raise ValueError(f"ORDERS={name} needs {' and '.join(values)}")
            if there and self.orders not in (name, "none"):
                raise ValueError(
                    f"{there[0]} is set, but orders come from ORDERS={self.orders}: set "
                    f"ORDERS={name}, or delete {there[0]}"
                )

    @property
    def origin(self) -> str:
        """The gateway's own origin as browsers see it."""
        parts = urlsplit(self.public_url or f"http://{self.host}:{self.port}")
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def secure_cookies(self) -> bool:
        return self.origin.startswith("https://")

    @property
    def allowed_origins(self) -> tuple[str, ...]:
        """Origins that may embed the widget, the gateway's own first."""
        others = [part.strip() for part in self.widget_origins.split(",") if part.strip()]
        if not self.public_url and self.host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104
            # Tried out on one's own machine; both are names of it that people type.
            others += [f"http://127.0.0.1:{self.port}", f"http://localhost:{self.port}"]
        return tuple(dict.fromkeys((self.origin, *others)))

    @property
    def slack_asks(self) -> bool:
        """Whether staff may ask in Slack."""
        way = (
            self.slack_app_token.get_secret_value() or self.slack_signing_secret.get_secret_value()
        )
        return bool(self.slack_bot_token.get_secret_value() and way)

    @property
    def slack_channels(self) -> dict[str, str]:
        """The channel of each queue; "*": of all others."""
        parts = (part.partition("=") for part in self.slack_queues.split(","))
        return {name.strip(): it.strip() for name, _, it in parts if name.strip() and it.strip()}

    @property
    def twilio_tokens(self) -> dict[str, str]:
        """Auth tokens by account; none: no texts."""
        if not self.twilio_account_sid:
            return {}
        return {
            self.twilio_account_sid: self.twilio_auth_token.get_secret_value(),
            **_pairs(self.twilio_subaccounts),
        }

    @property
    def twilio_shared(self) -> dict[str, str]:
        """Secrets of shared keys by their id."""
        return _pairs(self.twilio_shared_keys)

    @property
    def store_url(self) -> str:
        """SQLAlchemy URL of the store."""
        url = self.database_url.get_secret_value()
        if not url:
            return f"sqlite:///{self.data_dir / 'rapport.db'}"
        scheme, _, rest = url.partition("://")
        if scheme in {"postgres", "postgresql"}:
            return f"postgresql+pg8000://{rest}"
        return url

    @property
    def engine_url(self) -> str:
        return f"http://127.0.0.1:{self.engine_port}"

    @cached_property
    def shared_secret(self) -> str:
        """The secret both processes know; made and kept in DATA_DIR when none is set."""
        return self.engine_secret.get_secret_value() or keep_secret(self.data_dir / "engine.secret")


def keep_secret(path: Path) -> str:
    """Read the secret kept in ``path``, or make one that only this user may read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "x", encoding="ascii", opener=_private) as file:
            file.write(secrets.token_urlsafe(32))
    except FileExistsError:
        pass
    secret = path.read_text(encoding="ascii").strip()
    if len(secret) < 20:
        raise ValueError(f"{path} holds no usable secret; delete it and start again")
    return secret


def _private(path: str, flags: int) -> int:
    import os

    return os.open(path, flags, mode=0o600)


def _pairs(text: SecretStr) -> dict[str, str]:
    """ "name:secret, name:secret" by name."""
    parts = (part.strip().partition(":") for part in text.get_secret_value().split(","))
    return {name.strip(): secret.strip() for name, _, secret in parts if name and secret}
