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
from knowledge_base.search import KnowledgeBase, Result

# Between this confidence and the threshold of an answer the closest passages are offered by name;
# docs/quality.md says how often the right one is among them.
SUGGEST_FROM = 0.3
MOST_SUGGESTIONS = 3
LONGEST_TITLE = 80


class Answer(Skill):
    """Answers in an article's own words, with its source; else says that it does not know."""

    action_name = "action_answer"

    def __init__(self, knowledge_base: KnowledgeBase):
        self._knowledge_base = knowledge_base

    async def run(
        self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: dict[str, Any]
    ) -> Events:
        found = await to_thread.run_sync(find, self._knowledge_base, tracker)
        if found.kind == "answer":
            dispatcher.utter_message(
                response="utter_answer",
                answer=found.hits[0].passage.text,
                json_message={"sources": sources(found)},
            )
        else:
            self._decline(dispatcher, tracker, found)
        return []

    def _decline(self, dispatcher: CollectingDispatcher, tracker: Tracker, found: Result) -> None:
        custom: dict[str, Any] = {
            "miss": True,
            "offer": offer("accepted", f"No article answers {quote(said(tracker))}."),
        }
        buttons: list[dict[str, str]] = YES_NO
        if last_custom(tracker).get("miss"):
            response = "utter_no_answer_again"
        elif found.confidence >= SUGGEST_FROM:
            response = "utter_suggest"
            custom["choices"] = suggestions(found)
            buttons = [{"title": title} for title in custom["choices"]]
            buttons.append({"title": "Bring in a colleague", "text": "Yes, bring in a colleague"})
        elif intent(tracker) == "out_of_scope":
            response = "utter_out_of_scope"
        else:
            response = "utter_no_answer"
        dispatcher.utter_message(response=response, buttons=buttons, json_message=custom)


def find(knowledge_base: KnowledgeBase, tracker: Tracker) -> Result:
    """What the knowledge base has for this turn: the passage that was chosen from suggestions, or
    the result of the search."""
    question = said(tracker)
    result = knowledge_base.ask(question)
    url = (last_custom(tracker).get("choices") or {}).get(question.strip())
    for hit in result.hits if url else ():
        if hit.passage.url == url:
            return Result("answer", 1.0, (hit,))
    return result


def suggestions(result: Result) -> dict[str, str]:
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
        if len(named) == MOST_SUGGESTIONS:
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
