"""What is kept for operators of requests that ended in failure."""

from dataclasses import replace
from typing import Final

from connectory.domain.dead_letters import DeadLetter
from connectory.domain.execution import Action, ActionRequest, Outcome
from connectory.infra.log import MAX_RECORD_BYTES, Message, record_size
from connectory.infra.messages import Messages
from connectory.infra.topics import ACTION_DEAD_LETTERS

NOT_KEPT: Final = frozenset({"connector-disabled", "expired"})
"""Reasons for which somebody wanted the request not to run."""

TOO_LARGE: Final = "The record is too large to be kept here: read it at its place"


def is_kept(request: ActionRequest, outcome: Outcome) -> bool:
    """Whoever waits for the result of a request knows of its failure, and decides."""
    if not outcome.final or outcome.outcome == "success" or request.is_direct:
        return False
    return outcome.action is not Action.CANCELLED and outcome.reason not in NOT_KEPT


def letter_of(messages: Messages, request: ActionRequest, outcome: Outcome) -> Message:
    """The dead letter of a request that ended so. Raises `Unencodable`."""
    error = outcome.error or outcome.message
    letter = DeadLetter(
        topic=outcome.position.topic,
        partition=outcome.position.partition,
        offset=outcome.position.offset,
        reason=outcome.reason or "failed",
        message=f"after {outcome.attempt} attempts: {error}" if outcome.attempt > 1 else error,
        at=outcome.at,
        key=request.connector_id.encode(errors="replace"),
        value=messages.encode(request),
        headers=(),
        request_id=request.request_id,
        space_id=request.space_id,
        connector_id=request.connector_id,
    )
    return letter_message(messages, letter)


def letter_message(messages: Messages, letter: DeadLetter) -> Message:
    """The record of a letter, without what was read when there is no room for it."""
    message = _message(messages, letter)
    return message if record_size(message) <= MAX_RECORD_BYTES else _message(messages, _emptied(letter))


def _emptied(letter: DeadLetter) -> DeadLetter:
    return replace(letter, message=f"{letter.message[:1000]}. {TOO_LARGE}", key=None, value=None, headers=())


def _message(messages: Messages, letter: DeadLetter) -> Message:
    return messages.message(ACTION_DEAD_LETTERS, None, letter, at=letter.at, partition=letter.partition)
