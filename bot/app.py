"""Wiring: the only module that knows every concrete class."""

from __future__ import annotations

import asyncio
import secrets
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import structlog
import uvicorn
from anyio import to_thread
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from rasa_sdk.executor import ActionExecutor
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException
from starlette.exceptions import HTTPException

from actions.answer import Answer
from actions.base import Skill
from actions.handoff import Affirm, Complaint, Deny, NotHelpful, RequestPerson
from actions.jobs.form import JobForm
from actions.refer import ReferJob
from actions.several import Several
from bot.body_limit import BodyLimit
from bot.brain import Brain
from bot.deliveries import Courier
from bot.desk import knowledge as desk_knowledge
from bot.desk import numbers as desk_numbers
from bot.desk import orders as desk_orders
from bot.desk import people as desk_people
from bot.desk import policies as desk_policies
from bot.desk import routes as desk
from bot.desk import work as desk_work
from bot.desk.preview import Preview
from bot.editing import Editing
from bot.encoder import Encoder
from bot.followups import Ticker
from bot.jobs.clerk import Clerk, Send
from bot.jobs.ways import Mailbox, by_mail
from bot.logs import configure as configure_logs
from bot.notices import Notifier
from bot.notices.sender import Sender, sinks
from bot.orders.choose import make_orders
from bot.orders.policy_file import load as load_orders_policy
from bot.policies import Policies
from bot.settings import ROOT, Settings
from bot.store import ledger
from bot.store.agents import Agents
from bot.store.database import Database
from bot.support import Support
from bot.turns import Turns
from bot.wakeups import Wakeups
from channels import sms
from channels.contract import Channel
from channels.slack import Slack
from channels.web import api as web_api
from channels.web import demo_mail, short_links
from channels.web import pages as web_pages
from knowledge_base.search import KnowledgeBase

ACTION_NAMES = tuple(
    skill.action_name
    for skill in (
        Answer,
        JobForm,
        ReferJob,
        Several,
        RequestPerson,
        Affirm,
        Deny,
        Complaint,
        NotHelpful,
    )
)
LONGEST_REQUEST = 256 * 1024

log = structlog.get_logger("app")


@dataclass(frozen=True)
class Store:
    """The store with its agents, opened and migrated."""

    database: Database
    agents: Agents


def open_store(settings: Settings) -> Store:
    """Open the store and bring its tables up to date.

    Raises:
        bot.store.database.StoreUnavailable: it cannot be reached.
    """
    database = Database(settings.store_url)
    database.migrate()

    def forget_password(_agent: int) -> None:
        # Whoever has logged in knows a password; the one in the file has done its work.
        first_login_path(settings).unlink(missing_ok=True)

    return Store(database, Agents(database, on_session=forget_password))


class Gateway:
    """Everything of one gateway process, put together.

    Raises:
        bot.yaml_nodes.FileWrong: ``escalation.yml`` or ``service.yml`` cannot be used.
        ValueError: mail, Slack or webhook are set by half.
    """

    def __init__(self, settings: Settings):
        self.settings = settings
        self.policies = Policies(settings)
        self.name = f"{socket.gethostname()}:{settings.port}"
        self.store = open_store(settings)
        self.wakeups = Wakeups()
        places = sinks(settings)
        notifier = Notifier(settings, places)
        self.support = Support(
            self.store.database,
            wake=self.wakeups.wake,
            gateway=self.name,
            lease_milliseconds=int(settings.lease_seconds * 1000),
            escalation=self.policies.escalation,
            service=self.policies.service,
            announce=notifier.announce,
            mail=notifier.mail_customer if notifier.mails_customers else None,
        )
        self.policies.adopt = self.support.adopt
        encoder = self.encoder = Encoder(settings.models_dir / "encoder")
        self.knowledge_base = KnowledgeBase(
            settings.articles_dir,
            encoder,
            settings.models_dir / "index",
            threshold=settings.answer_threshold,
        )
        self.editing = Editing(
            self.store.database,
            self.knowledge_base,
            encoder,
            cache_dir=settings.data_dir / "questions",
        )
        self.orders = make_orders(settings)
        self.brain = Brain(
            settings.engine_url,
            settings.shared_secret,
            settings.ask_seconds,
            orders=self.orders is not None,
        )
        self.texting: sms.Texts | None = None
        by_text: Send | None = None
        channels: dict[str, Channel] = {web_api.CHANNEL: web_api.WebChannel(self.wakeups)}
        if settings.twilio_tokens:
            channel = sms.make_channel(self.store.database, settings)
            channels[sms.CHANNEL] = channel
            self.texting = sms.Texts(channel, settings)
            by_text = channel.send_code
        self.courier = Courier(self.store.database, channels, self.wakeups)
        self.turns = Turns(self.support, self.brain, self.courier)
        self.ticker = Ticker(self.support, self.turns, self.policies)
        self.sender = Sender(self.store.database, places)
        self.slack = None
        if settings.slack_asks:
            parts = (self.support, self.store.agents, self.knowledge_base, self.editing)
            self.slack = Slack(*parts, settings)
        self.mailbox: Mailbox | None = None
        self.clerk = self._make_clerk(by_text)
        self.executor = ActionExecutor()
        for skill in self._skills():
            self.executor.register_action(skill)

    def _make_clerk(self, by_text: Send | None) -> Clerk | None:
        if self.orders is None:
            return None
        mail = by_mail(self.settings)
        if mail is None and self.settings.orders == "demo":
            self.mailbox = Mailbox()
            mail = self.mailbox.send
        return Clerk(
            self.store.database,
            self.orders,
            load_orders_policy(self.settings.orders_file),
            business=self.settings.business_name,
            by_mail=mail,
            by_text=by_text,
        )

    def _skills(self) -> list[Skill]:
        return [
            Answer(self.knowledge_base),
            JobForm(self.support, self.knowledge_base, self.clerk),
            ReferJob(self.knowledge_base),
            Several(self.knowledge_base),
            RequestPerson(self.support),
            Affirm(self.support),
            Deny(),
            Complaint(),
            NotHelpful(),
        ]

    async def start(self) -> None:
        """Load what is heavy, free what a former run of this gateway left behind."""
        await to_thread.run_sync(self.knowledge_base.load)
        self.knowledge_base.watch()
        self.wakeups.bind(asyncio.get_running_loop())
        freed = await to_thread.run_sync(self._free_leases)
        await to_thread.run_sync(first_agent, self.store.agents, self.settings)
        log.info("gateway.started", gateway=self.name, leases_freed=freed)

    async def stop(self) -> None:
        await self.turns.finish(self.settings.ask_seconds + 1)
        await self.brain.close()
        if self.orders is not None:
            await self.orders.close()
        await to_thread.run_sync(self.knowledge_base.close)
        self.store.database.close()

    def _free_leases(self) -> int:
        with self.store.database.transaction() as tx:
            return ledger.release_leases_of(tx, self.name)


def first_agent(agents: Agents, settings: Settings) -> None:
    """At the very first start there is nobody who could log in at the desk: make one agent, and
    leave the password where only the person who runs Rapport can read it."""
    if agents.count():
        return
    password = secrets.token_urlsafe(12)
    agents.add(settings.desk_admin_email, "", password, "admin")
    path = first_login_path(settings)
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(f"email: {settings.desk_admin_email}\npassword: {password}\n", encoding="utf-8")


def first_login_path(settings: Settings) -> Path:
    return settings.data_dir / "first-login.txt"


def create_app(settings: Settings, gateway: Gateway | None = None) -> FastAPI:
    """The public application: web API, pages, widget, desk, health."""
    gateway = gateway or Gateway(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await gateway.start()
        tasks = [
            asyncio.create_task(gateway.ticker.run()),
            asyncio.create_task(gateway.courier.run()),
            asyncio.create_task(gateway.sender.run()),
        ]
        if gateway.slack:
            tasks.append(asyncio.create_task(gateway.slack.run()))
        try:
            yield
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
            await gateway.stop()

    app = FastAPI(
        title="Rapport",
        summary="Customer support that answers from your articles and hands over to people.",
        version="0.1.0",
        lifespan=lifespan,
        docs_url=None,  # Swagger's page loads its scripts from another host
        redoc_url=None,
    )
    app.state.gateway = gateway
    app.include_router(
        web_api.router(gateway.support, gateway.turns, gateway.wakeups, settings, gateway.texting)
    )
    app.include_router(web_pages.router(gateway.knowledge_base, settings))
    if settings.twilio_tokens:
        hearing = sms.Hearing(gateway.encoder)
        parts_of_sms = (gateway.support, gateway.turns, gateway.wakeups, hearing, settings)
        app.include_router(sms.webhooks.router(*parts_of_sms))
    if gateway.slack and settings.slack_signing_secret.get_secret_value():
        app.include_router(gateway.slack.router())
    if gateway.mailbox is not None:
        app.include_router(demo_mail.router(gateway.mailbox, settings.business_name))
    app.include_router(short_links.router(gateway.knowledge_base))
    app.include_router(
        desk.router(gateway.support, gateway.store.agents, gateway.wakeups, settings)
    )
    app.include_router(
        desk_knowledge.router(
            gateway.knowledge_base,
            gateway.editing,
            gateway.store.agents,
            preview=Preview(gateway.executor.actions[Answer.action_name], ROOT / "domain.yml"),
            settings=settings,
        )
    )
    app.include_router(
        desk_work.router(gateway.support, gateway.store.agents, gateway.knowledge_base, settings)
    )
    app.include_router(
        desk_orders.router(gateway.clerk, gateway.support, gateway.store.agents, settings)
    )
    parts = (gateway.store.database, gateway.support, gateway.store.agents, settings)
    app.include_router(desk_numbers.router(*parts))
    app.include_router(desk_people.router(*parts))
    app.include_router(desk_policies.router(gateway.policies, *parts))
    _health(app, gateway)
    _errors(app)
    return app


def _health(app: FastAPI, gateway: Gateway) -> None:
    @app.get("/health/live", tags=["health"])
    async def live() -> dict[str, str]:
        """The gateway runs."""
        return {"status": "live"}

    @app.get("/health/ready", tags=["health"])
    async def ready() -> JSONResponse:
        """The whole path works: the engine answers and the store can be read."""
        engine = await gateway.brain.ready()
        try:
            await to_thread.run_sync(gateway.store.agents.count)
            store = True
        except Exception:
            log.exception("health.store_failed")
            store = False
        problems = gateway.knowledge_base.problems()
        body = {
            "status": "ready" if engine and store else "not ready",
            "engine": engine,
            "store": store,
            "article_problems": len(problems),
        }
        return JSONResponse(body, 200 if engine and store else 503)


def _errors(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> JSONResponse:
        words = "; ".join(web_api.describe(dict(item)) for item in error.errors()[:5])
        return JSONResponse({"detail": words}, 422)

    app.add_middleware(BodyLimit, most=LONGEST_REQUEST)


def create_actions_app(gateway: Gateway) -> FastAPI:
    """What the engine calls, on a loopback listener of its own: rasa-sdk's action protocol."""
    app = FastAPI(title="Rapport actions", docs_url=None, redoc_url=None, openapi_url=None)

    @app.post("/webhook")
    async def webhook(request: Request) -> JSONResponse:
        try:
            call = await request.json()
            if not isinstance(call, dict):
                raise ValueError("no object")
        except ValueError:
            return JSONResponse({"error": "the body is no JSON object"}, 400)
        name = call.get("next_action")
        call.setdefault("domain", {})  # not sent, and our actions do not read it
        try:
            async with asyncio.timeout(8):
                result = await gateway.executor.run(call)
            return JSONResponse(result.model_dump() if result else {"events": [], "responses": []})
        except ActionExecutionRejection as error:
            return JSONResponse({"error": str(error), "action_name": error.action_name}, 400)
        except ActionNotFoundException as error:
            return JSONResponse({"error": str(error), "action_name": error.action_name}, 404)
        except (HTTPException, asyncio.CancelledError):
            raise
        except Exception as error:
            log.exception("action.failed", action=name)
            return JSONResponse({"error": type(error).__name__, "action_name": name}, 500)

    @app.get("/health")
    async def health() -> dict[str, str]:
        return {"status": "ok"}

    return app


def serve(settings: Settings) -> None:
    """Run the gateway until SIGTERM or SIGINT: public server and action listener in one loop."""
    configure_logs(settings.log_level)
    asyncio.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    gateway = Gateway(settings)
    public = _server(create_app(settings, gateway), settings.host, settings.port, settings)
    actions = _server(create_actions_app(gateway), "127.0.0.1", settings.actions_port, settings)
    loop = asyncio.get_running_loop()

    def stop() -> None:
        # The public side first: turns that are running still need their actions.
        public.should_exit = True

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    acting = asyncio.create_task(actions.serve())
    try:
        await public.serve()
    finally:
        actions.should_exit = True
        await acting


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers: two servers share one loop, and `_serve` has them."""

    @staticmethod
    def _nothing() -> None: ...

    def capture_signals(self):  # type: ignore[no-untyped-def, override]
        from contextlib import nullcontext

        return nullcontext()


def _server(app: FastAPI, host: str, port: int, settings: Settings) -> uvicorn.Server:
    return _Server(
        uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            proxy_headers=True,
            forwarded_allow_ips=settings.trusted_proxies,
            server_header=False,
            timeout_graceful_shutdown=3,
        )
    )
