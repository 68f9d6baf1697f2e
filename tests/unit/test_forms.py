"""What forms and the reference read off a schema."""

from typing import Annotated, Literal

from pydantic import Field

from connectory.connector_types.forms import FormField, form_fields
from connectory.connector_types.schemas import Absentable, Schema, SecretSchema, Unsaved, about


class Inner(Schema):
    name: str


class Config(Schema):
    url: Annotated[str, about("URL", "Where requests go")]
    method: Annotated[Literal["post", "put"], about("Method")] = "post"
    ca_text: Annotated[Absentable[str], about("CA", widget="multiline")] = None
    headers: dict[str, str] | None = None
    retries: Unsaved[int] = 3
    channels: Annotated[list[Inner], Field(default_factory=list)]


class Secrets(SecretSchema):
    user: Annotated[str | None, about("User", shown=True)] = None
    password: str | None = None


def field(schema: type[Schema], name: str) -> FormField:
    return next(each for each in form_fields(schema) if each.name == name)


def test_fields_come_in_the_order_of_declaration_under_their_names_on_the_wire() -> None:
    assert [each.name for each in form_fields(Config)] == ["url", "method", "caText", "headers", "retries", "channels"]


def test_a_field_says_what_its_declaration_says() -> None:
    url, method = field(Config, "url"), field(Config, "method")

    assert (url.title, url.description, url.kind, url.required) == ("URL", "Where requests go", "string", True)
    assert (method.options, method.default, method.widget, method.required) == (
        ("post", "put"),
        "post",
        "select",
        False,
    )


def test_nullable_absentable_and_unsaved_fields_are_told_apart() -> None:
    fields = [field(Config, name) for name in ("caText", "headers", "retries")]

    assert [(each.nullable, each.saved_default) for each in fields] == [(False, False), (True, True), (False, False)]
    assert [each.widget for each in fields] == ["multiline", "map", "number"]


def test_the_fields_of_inner_objects_are_there() -> None:
    assert [each.name for each in field(Config, "channels").fields] == ["name"]


def test_what_stands_in_a_schema_of_secrets_is_secret_unless_it_says_otherwise() -> None:
    assert [(each.name, each.secret, each.widget) for each in form_fields(Secrets)] == [
        ("user", False, "text"),
        ("password", True, "password"),
    ]
