"""Two things that Rasa 3.6.21 does at every action call and need not: measured, they took more than
a third of a turn. 3.6.21 is the last of its line, so what is replaced here does not change.

* It checks the *schema* of action results against the schema of schemas each time, before it checks
  the result. The schema is a constant; a validator made once is enough.
* It sends the whole conversation with each call. Our actions look at the last two turns.
"""

from typing import Any, Dict, Text

from jsonschema import ValidationError
from jsonschema.validators import validator_for
from rasa.core.actions.action import RemoteAction
from rasa.shared.core.trackers import EventVerbosity

EVENTS_SENT = 40  # about five turns


def apply() -> None:
    """Replace both, in this process."""
    schema = RemoteAction.action_response_format_spec()
    kind = validator_for(schema)
    kind.check_schema(schema)
    validator = kind(schema)

    def validate(self: RemoteAction, result: Dict[Text, Any]) -> bool:
        for error in validator.iter_errors(result):
            raise ValidationError(f"the action server's answer is malformed: {error.message}")
        return True

    whole_call = RemoteAction._action_call_format

    def call(self: RemoteAction, tracker: Any, domain: Any) -> Dict[Text, Any]:
        return whole_call(self, _Recent(tracker), domain)

    RemoteAction._validate_action_result = validate
    RemoteAction._action_call_format = call


class _Recent:
    """A tracker as actions see it: its state, with the latest events only."""

    def __init__(self, tracker: Any) -> None:
        self._tracker = tracker
        self.sender_id = tracker.sender_id

    def current_state(self, _verbosity: EventVerbosity) -> Dict[Text, Any]:
        state = self._tracker.current_state(EventVerbosity.NONE)
        events = list(self._tracker.events)[-EVENTS_SENT:]
        state["events"] = [event.as_dict() for event in events]
        return dict(state)
