"""Questions: the passage of an article that answers, or the plain word that none does."""

from __future__ import annotations

from typing import Any

from anyio import to_thread

from actions.base import (
    YES_NO,
    CollectingDispatcher,
    Events,
    Skill,
    Tracker,
    intent,
    last_custom,
    offer,
    quote,
    said,
)
from actions.clarify import ask_which, two_meanings
from knowledge_base.search import PLAUSIBLE, KnowledgeBase, Result

MOST_SUGGESTIONS = 3
LONGEST_TITLE = 80

MOST_TURNS = 3
"""Earlier questions that say what a short one ("and abroad?") is about."""

RESPONSES = {
    "ambiguous": "utter_which",
    "needs_account": "utter_needs_account",
    "out_of_scope": "utter_out_of_scope",
    "staff_only": "utter_no_answer",
    "no_article": "utter_no_answer",
}
"""How each kind of non-answer is said. An article for staff is never hinted at."""


class Answer(Skill):
    """Answers in an article's own words, with its source; else asks which of two things was meant, or
    says that it does not know."""

    action_name = "action_answer"

    def __init__(self, knowledge_base: KnowledgeBase):
        self._knowledge_base = knowledge_base

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        found, quoted = await to_thread.run_sync(find, self._knowledge_base, tracker)
        if found.kind == "answer":
            dispatcher.utter_message(
                response="utter_answer", answer=quoted, json_message={"sources": sources(found)}
            )
        elif (names := two_meanings(tracker)) and not last_custom(tracker).get("miss"):
            ask_which(dispatcher, tracker, names)
        else:
            self._decline(dispatcher, tracker, found)
        return []

    def _decline(self, dispatcher: CollectingDispatcher, tracker: Tracker, found: Result) -> None:
        custom: dict[str, Any] = {
            "miss": True,
            "why": found.kind,
            "offer": offer("accepted", f"No article answers {quote(said(tracker))}."),
        }
        buttons: list[dict[str, str]] = YES_NO
        response = RESPONSES[found.kind]
        if found.kind == "needs_account" and tracker.get_slot("sees_orders"):
            response = "utter_needs_order"
        named = suggestions(found, 2 if found.kind == "ambiguous" else MOST_SUGGESTIONS)
        if last_custom(tracker).get("miss"):
            response = "utter_no_answer_again"
        elif found.kind == "no_article" and intent(tracker) == "out_of_scope":
            response = "utter_out_of_scope"
        elif named and found.kind in {"no_article", "ambiguous"} and found.confidence >= PLAUSIBLE:
            response = "utter_which" if found.kind == "ambiguous" else "utter_suggest"
            custom["choices"] = named
            buttons = [{"title": title} for title in named]
            buttons.append({"title": "Bring in a colleague", "text": "Yes, bring in a colleague"})
        dispatcher.utter_message(response=response, buttons=buttons, json_message=custom)


def find(knowledge_base: KnowledgeBase, tracker: Tracker) -> tuple[Result, str]:
    """What the knowledge base has for this turn, and the words of an article that answer ("": none
    do): of the passage that was chosen from suggestions, or of the result of the search. Of what
    only an account could tell, there may be words on the subject."""
    question, earlier = said(tracker), history(tracker)
    result = knowledge_base.ask(question, history=earlier)
    url = (last_custom(tracker).get("choices") or {}).get(question.strip())
    chosen = next((hit for hit in result.hits if url and hit.passage.url == url), None)
    if chosen:
        whole = knowledge_base.shown(chosen.passage.text, chosen.passage)
        return Result("answer", 1.0, (chosen,)), whole
    if (
        result.kind not in {"answer", "needs_account"}
        or result.confidence < knowledge_base.threshold
    ):
        return result, ""
    passage = result.hits[0].passage
    quoted = knowledge_base.excerpt(question, passage, earlier)
    return result, knowledge_base.shown(quoted, passage)


def history(tracker: Tracker) -> list[str]:
    """The earlier questions to the knowledge base and what was answered, oldest first.

    Greetings, jobs and feedback are left out: they say nothing about what a question means.
    """
    turns: list[list[str]] = []
    asked = ""
    for event in tracker.events:
        if event.get("event") == "user":
            asked = str(event.get("text") or "")
        elif event.get("event") == "bot" and asked:
            custom = (event.get("data") or {}).get("custom") or {}
            if custom.get("sources") or custom.get("miss"):
                answer = [str(event.get("text") or "")] if custom.get("sources") else []
                turns.append([asked, *answer])
                asked = ""
    return [text for turn in turns[-MOST_TURNS:] for text in turn]


def suggestions(result: Result, most: int = MOST_SUGGESTIONS) -> dict[str, str]:
    """Names of the closest passages, one an article, with their addresses."""
    named: dict[str, str] = {}
    articles: set[str] = set()
    for hit in result.hits:
        passage = hit.passage
        name = passage.heading or passage.title
        if passage.article_id in articles or name in named or len(name) > LONGEST_TITLE:
            continue
        articles.add(passage.article_id)
        named[name] = passage.url
        if len(named) == most:
            break
    return named


def sources(result: Result) -> list[dict[str, Any]]:
    """Where the answer comes from, as it is stored with the turn and shown to the customer."""
    passage = result.hits[0].passage
    return [
        {
            "title": passage.title,
            "heading": " › ".join(passage.heading_path),
            "url": passage.url,
            "article": passage.article_id,
            "hash": passage.hash,
            "confidence": round(result.confidence, 3),
        }
    ]
