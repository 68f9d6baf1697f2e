"""Whether an answer is the JSON that was expected: the check of classic types."""

from collections.abc import Collection

from connectory.connector_types.contract import OutgoingResponse
from connectory.connector_types.json_text import parsed_or_text
from connectory.domain.errors import ConnectoryError
from connectory.domain.json_types import Json


class UnexpectedAnswer(ConnectoryError):
    """An answer that is not what its call promises. Types put their own words before the message."""

    code = "unexpected-answer"


def json_answer(response: OutgoingResponse, method: str, url: str, required: Collection[str] = ()) -> Json:
    """The JSON of the answer, which has the required keys; a 204 always passes. Raises `UnexpectedAnswer`."""
    body = parsed_or_text(response.body) if response.body else None
    if response.status == 204:
        return body
    content_type = response.headers.get("content-type", "undefined")
    if "application/json" not in content_type:
        raise UnexpectedAnswer(
            f"Unsupported content type: {content_type} in {method.lower()} {url}. "
            "Supported content types: application/json"
        )
    if body and not isinstance(body, dict | list):
        raise UnexpectedAnswer("Response is not a valid JSON")
    if required and not (isinstance(body, dict) and body.keys() >= set(required)):
        raise UnexpectedAnswer(f"Response is missing at least one of the expected fields: {','.join(required)}")
    return body
