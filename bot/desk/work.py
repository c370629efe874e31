"""What agents do with tickets, and what helps them: the API below ``/desk/api``.

Annotations are no strings here: FastAPI could not look up those that name a router's own guard.
"""

from typing import Annotated, Any
from uuid import UUID

from anyio import to_thread
from fastapi import APIRouter, Depends, HTTPException, Query
from fastapi.responses import JSONResponse
from pydantic import AfterValidator, Field

from bot.desk.routes import LONGEST_NOTE, Body, ConversationId, DeskRoute, Nothing, Number
from bot.desk.sessions import Guard
from bot.service.promises import promises
from bot.settings import Settings
from bot.store import agents as agent_rows
from bot.store import finding
from bot.store.agents import Agent, Agents
from bot.support import Support
from bot.views import desk_ticket
from knowledge_base.search import KnowledgeBase

MOST_SUGGESTIONS = 4


def _storable(text: str) -> str:
    """No store holds these, and none of them is written by a person."""
    if "\x00" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("This holds characters that cannot be stored.")
    return text


Text = Annotated[str, AfterValidator(_storable)]
Remark = Annotated[Text, Field(max_length=LONGEST_NOTE)]


class Reply(Body):
    """An agent's answer. The same ``client_id`` again has no second effect; ``confirmed`` says that
    the agent has seen what it promises."""

    client_id: UUID
    text: Text
    confirmed: bool = False


class HandingBack(Body):
    """Why the bot has it again: ``note`` for colleagues only, ``settled`` for the customer."""

    note: Remark = ""
    settled: Remark = ""


class PassingOn(Body):
    """To a queue or to a colleague, with a note for whoever gets it."""

    queue: Annotated[Text, Field(max_length=40)] = ""
    agent_id: int | None = Field(None, ge=1, le=2**31 - 1)
    note: Remark = ""


class PuttingOff(Body):
    """Milliseconds since the epoch, UTC."""

    until: int


class Note(Body):
    """For colleagues only."""

    text: Remark


class Draft(Body):
    """A reply that is about to be sent."""

    text: Annotated[Text, Field(max_length=20_000)]


class Tags(Body):
    tags: list[Annotated[Text, Field(max_length=40)]] = Field(max_length=20)


class Joining(Body):
    """The ticket that goes on."""

    into: int = Field(ge=1, le=2**31 - 1)


class Looking(Body):
    writing: bool = False


class Presence(Body):
    away: bool


class SavedReply(Body):
    name: Annotated[Text, Field(max_length=80)]
    text: Annotated[Text, Field(max_length=4000)]


def router(
    support: Support, agents: Agents, knowledge_base: KnowledgeBase, settings: Settings
) -> APIRouter:
    """The routes under ``/desk/api``."""
    guard = Guard(agents, settings)
    routes = APIRouter(prefix="/desk/api", route_class=DeskRoute, include_in_schema=False)
    _answering(routes, guard, support, settings)
    _tickets(routes, guard, support)
    _helps(routes, guard, support, knowledge_base)
    _people(routes, guard, support, agents)
    return routes


def _answering(routes: APIRouter, guard: Guard, support: Support, settings: Settings) -> None:
    Actor = Annotated[Agent, Depends(guard.acting_for_customers)]

    @routes.post("/tickets/{ticket_id}/claim")
    async def claim(ticket_id: Number, agent: Actor) -> dict[str, Any]:
        """Take a waiting conversation; 409 when a colleague was first."""
        return await to_thread.run_sync(support.claim, ticket_id, agent.id)

    @routes.post("/conversations/{conversation_id}/replies", status_code=202)
    async def reply(conversation_id: ConversationId, body: Reply, agent: Actor) -> Any:
        """Answer the customer. It is stored before this answers. What promises something waits
        until the agent confirms it: 409 with the words in ``promises``."""
        longest = settings.max_message_characters
        if len(body.text) > longest:
            words = f"This has {len(body.text)} characters; {longest} can be sent at once."
            raise HTTPException(413, words)
        found = [] if body.confirmed else promises(body.text)
        if found:
            words = ", ".join(f"“{it}”" for it in found)
            detail = f"This promises something: {words}. Can it be kept?"
            return JSONResponse({"detail": detail, "promises": found}, 409)

        def act() -> int:
            return support.reply_as_person(
                conversation_id, agent.id, body.text, str(body.client_id)
            )

        return {"message_id": await _do(act)}

    @routes.post("/conversations/{conversation_id}/resolve")
    async def resolve(
        conversation_id: ConversationId, agent: Actor, body: Nothing | None = None
    ) -> dict[str, Any]:
        """Close it; the customer is asked for a rating."""
        return await to_thread.run_sync(support.resolve, conversation_id, agent.id)

    @routes.post("/conversations/{conversation_id}/hand-back")
    async def hand_back(
        conversation_id: ConversationId, body: HandingBack, agent: Actor
    ) -> dict[str, Any]:
        """Give it back to the bot."""
        return await to_thread.run_sync(
            support.hand_back, conversation_id, agent.id, body.note, body.settled
        )


def _tickets(routes: APIRouter, guard: Guard, support: Support) -> None:
    Actor = Annotated[Agent, Depends(guard.acting_for_customers)]

    @routes.post("/tickets/{ticket_id}/pass-on")
    async def pass_on(ticket_id: Number, body: PassingOn, agent: Actor) -> dict[str, Any]:
        """Give it to a colleague or a queue."""

        def act() -> dict[str, Any]:
            return support.pass_on(
                ticket_id, agent.id, queue=body.queue, to_agent=body.agent_id, note=body.note
            )

        return await _do(act)

    @routes.post("/tickets/{ticket_id}/put-off")
    async def put_off(ticket_id: Number, body: PuttingOff, agent: Actor) -> dict[str, Any]:
        """Put it off until a moment, or until the customer writes."""
        return await _do(lambda: support.snooze(ticket_id, agent.id, body.until))

    @routes.post("/tickets/{ticket_id}/notes", status_code=204)
    async def note(ticket_id: Number, body: Note, agent: Actor) -> None:
        """Keep a remark. No route leads from it to the customer."""
        await _do(lambda: support.note(ticket_id, agent.id, body.text))

    @routes.post("/tickets/{ticket_id}/tags")
    async def tag(ticket_id: Number, body: Tags, agent: Actor) -> dict[str, Any]:
        return await _do(lambda: support.tag(ticket_id, agent.id, body.tags))

    @routes.post("/tickets/{ticket_id}/join")
    async def join(ticket_id: Number, body: Joining, agent: Actor) -> dict[str, Any]:
        """Close it as a part of another one."""
        return await _do(lambda: support.merge(ticket_id, body.into, agent.id))

    @routes.post("/tickets/{ticket_id}/look", status_code=204)
    async def look(ticket_id: Number, body: Looking, agent: Actor) -> None:
        """The agent has it open, and may be writing."""
        await _do(lambda: support.look(ticket_id, agent.id, writing=body.writing))


def _helps(
    routes: APIRouter, guard: Guard, support: Support, knowledge_base: KnowledgeBase
) -> None:
    Reader = Annotated[Agent, Depends(guard.serving)]
    Actor = Annotated[Agent, Depends(guard.acting_for_customers)]

    @routes.get("/suggestions")
    async def suggestions(
        agent: Reader, question: Annotated[str, Query(min_length=1, max_length=800)]
    ) -> dict[str, Any]:
        """Passages that may answer; those of staff articles are marked and are for reading only."""
        found = await to_thread.run_sync(knowledge_base.ask, question, "staff")
        return {
            "suggestions": [
                {
                    "title": hit.passage.title,
                    "heading": hit.passage.heading_path[-1] if hit.passage.heading_path else "",
                    "text": hit.passage.text,
                    "url": hit.passage.url,
                    "article": hit.passage.article_id,
                    "staff": hit.passage.audience == "staff",
                }
                for hit in found.hits[:MOST_SUGGESTIONS]
            ]
        }

    @routes.post("/check-reply")
    async def check_reply(body: Draft, agent: Actor) -> dict[str, list[str]]:
        """What the text promises, in its own words: whether it can be kept is the agent's to say."""
        return {"promises": promises(body.text)}

    @routes.get("/saved-replies")
    async def saved(agent: Reader) -> dict[str, Any]:
        return {"replies": await to_thread.run_sync(support.saved_replies)}

    @routes.post("/saved-replies", status_code=204)
    async def save(body: SavedReply, agent: Actor) -> None:
        """Keep a reply; the same name again replaces it."""
        await _do(lambda: support.save_reply(agent.id, body.name, body.text))

    @routes.post("/saved-replies/{reply_id}/delete", status_code=204)
    async def delete(reply_id: Number, agent: Actor, body: Nothing | None = None) -> None:
        await _do(lambda: support.delete_reply(agent.id, reply_id))

    @routes.get("/find")
    async def find(
        agent: Reader, text: Annotated[str, Query(min_length=1, max_length=200)]
    ) -> dict[str, Any]:
        """Tickets by number, by words, by the address left; the latest first."""

        def read() -> list[dict[str, Any]]:
            with support.database.reading() as tx:
                return [desk_ticket(row, agent.id) for row in finding.find(tx, text)]

        clean = text.replace("\x00", " ")
        return {"tickets": await to_thread.run_sync(read) if clean.strip() else []}


def _people(routes: APIRouter, guard: Guard, support: Support, agents: Agents) -> None:
    Reader = Annotated[Agent, Depends(guard.serving)]
    Actor = Annotated[Agent, Depends(guard.acting_for_customers)]

    @routes.get("/colleagues")
    async def colleagues(agent: Reader) -> dict[str, Any]:
        """To whom a ticket can be passed on: colleagues with who is there, and queues."""

        def read() -> dict[str, Any]:
            with support.database.reading() as tx:
                now = support.database.now(tx)
                there = {row.id for row in agent_rows.present(tx, now)}
                people = agent_rows.colleagues(tx)
            return {
                "colleagues": [
                    {"id": row.id, "name": row.name, "there": row.id in there}
                    for row in people
                    if row.id != agent.id
                ],
                "queues": [
                    {"name": queue.name, "title": queue.title}
                    for queue in support.service.queues.values()
                ],
            }

        return await to_thread.run_sync(read)

    @routes.post("/presence", status_code=204)
    async def presence(body: Presence, agent: Actor) -> None:
        """At the desk, or away for a while."""
        await _do(lambda: agents.set_away(agent.id, body.away))


async def _do(act: Any) -> Any:
    try:
        return await to_thread.run_sync(act)
    except ValueError as error:
        raise HTTPException(422, str(error)) from error
