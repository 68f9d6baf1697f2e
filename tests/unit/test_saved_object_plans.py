"""Laws of import plans, whatever is imported and whatever is there; and files that come back as they went out."""

import json
from collections import defaultdict
from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from connectory.domain.delivery import AS_SETTINGS_SAY
from connectory.domain.json_types import Json
from connectory.gateway import json_bodies
from connectory.gateway.errors import Rejected
from connectory.gateway.saved_objects.export_lines import details, exported
from connectory.gateway.saved_objects.import_results import import_result
from connectory.gateway.saved_objects.import_warnings import IdRules
from connectory.gateway.saved_objects.ndjson import read_objects, write_lines
from connectory.gateway.saved_objects.objects import ObjectKey, SavedObject, original_of
from connectory.gateway.saved_objects.planning import ImportWishes, plan_import
from connectory.gateway.saved_objects.plans import Existing, Plan
from connectory_projections.connectors_by_space import ConnectorView
from tests.unit.connectors import AT

law = settings(max_examples=100)
IDS = st.sampled_from("abcd")
ORIGINS = st.none() | IDS
ATTRIBUTES: dict[str, Json] = {"name": "hook", "actionTypeId": ".server-log", "config": {}}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("aä\n ", max_size=3), inner, max_size=3),
    max_leaves=8,
)


def view(
    connector_id: str, space_id: str, origin_id: str | None, config: dict[str, Json] | None = None
) -> ConnectorView:
    return ConnectorView(
        connector_id=connector_id,
        space_id=space_id,
        name="hook",
        name_sort_key=b"",
        connector_type_id=".server-log",
        config=config or {},
        version=1,
        is_missing_secrets=False,
        created_at=AT,
        created_by=None,
        updated_at=AT,
        updated_by=None,
        enabled=True,
        delivery_policy=AS_SETTINGS_SAY,
        origin_id=origin_id,
    )


def existing_of(views: Sequence[ConnectorView]) -> Existing:
    by_origin: defaultdict[str, list[ConnectorView]] = defaultdict(list)
    for each in views:
        if each.space_id == "here" and each.origin_id:
            by_origin[each.origin_id].append(each)
    return Existing(space_id="here", by_id={each.connector_id: each for each in views}, by_origin=by_origin)


OBJECTS = st.lists(
    st.builds(
        lambda id_, origin_id: SavedObject(key=ObjectKey("action", id_), attributes=ATTRIBUTES, origin_id=origin_id),
        IDS,
        ORIGINS,
    ),
    unique_by=lambda each: each.key,
)
VIEWS = st.lists(
    st.builds(view, st.sampled_from("abcdxyz"), st.sampled_from(["here", "there"]), ORIGINS),
    unique_by=lambda each: each.connector_id,
)
WISHES = st.sampled_from([ImportWishes(), ImportWishes(overwrite=True), ImportWishes(create_new_copies=True)])


def one_of_each_source(objects: Sequence[SavedObject]) -> list[SavedObject]:
    """Several of one source become new copies each time."""
    return [*{each.source_id: each for each in objects}.values()]


def planned(
    objects: Sequence[SavedObject], views: Sequence[ConnectorView], wishes: ImportWishes, command: str = "1"
) -> Plan:
    new_ids = {each.key.id: f"new-{each.key.id}-{command}" for each in objects}
    return plan_import(objects, existing_of(views), new_ids, wishes)


@law
@given(OBJECTS, VIEWS, WISHES)
def test_every_object_goes_somewhere_or_fails(
    objects: Sequence[SavedObject], views: Sequence[ConnectorView], wishes: ImportWishes
) -> None:
    plan = planned(objects, views, wishes)

    placed, failed = [each.object.key for each in plan.placements], [each.object.key for each in plan.failures]
    assert sorted(placed + failed) == sorted(each.key for each in objects)


@law
@given(OBJECTS, VIEWS, WISHES)
def test_no_two_objects_go_to_the_same_place(
    objects: Sequence[SavedObject], views: Sequence[ConnectorView], wishes: ImportWishes
) -> None:
    places = [each.connector_id for each in planned(objects, views, wishes).placements]

    assert len(set(places)) == len(places)


@law
@given(OBJECTS, VIEWS, WISHES)
def test_nothing_is_replaced_but_in_this_space_and_by_wish(
    objects: Sequence[SavedObject], views: Sequence[ConnectorView], wishes: ImportWishes
) -> None:
    taken = {each.connector_id: each.space_id for each in views}

    for placement in planned(objects, views, wishes).placements:
        space_id = taken.get(placement.connector_id)
        assert space_id is None or (space_id == "here" and wishes.overwrite)
        assert placement.replaces is (space_id is not None)


@law
@given(OBJECTS.map(one_of_each_source), VIEWS)
def test_what_was_imported_is_found_again(objects: Sequence[SavedObject], views: Sequence[ConnectorView]) -> None:
    first = planned(objects, views, ImportWishes())
    written = [view(each.connector_id, "here", each.origin_id) for each in first.placements]
    forgotten = {each.object.key for each in first.placements if each.made_anew and each.origin_id is None}

    again = planned(objects, [*views, *written], ImportWishes(), command="2")

    assert {each.object.key for each in again.placements} <= forgotten


class Types:
    def works_without_secrets(self, type_id: str) -> bool:
        return True


@law
@given(st.dictionaries(st.text("aäz\n"), JSON), ORIGINS)
def test_what_is_exported_is_read_as_it_was(config: dict[str, Json], origin_id: str | None) -> None:
    content = write_lines([exported(view("c1", "here", origin_id, config), Types()), details(1)])

    [saved] = read_objects(content, limit=1)
    original = original_of(saved, saved.origin_id)

    assert (saved.key, original.name, original.connector_type_id) == (("action", "c1"), "hook", ".server-log")
    assert (original.config, original.origin_id) == (config, origin_id)


FIELDS = ("type", "id", "attributes", "references", "originId", "managed", "name", "actionTypeId", "isMissingSecrets")
LINES = st.lists(
    st.dictionaries(
        st.sampled_from(FIELDS),
        st.sampled_from(["action", "a", ATTRIBUTES, [{"type": "action", "id": "x"}]]) | JSON,
    )
    | JSON,
    max_size=4,
)


@law
@given(LINES, VIEWS, WISHES)
def test_whatever_a_file_holds_is_answered(
    lines: Sequence[Json], views: Sequence[ConnectorView], wishes: ImportWishes
) -> None:
    content = "\n".join(json.dumps(each) for each in lines).encode()
    try:
        objects = read_objects(content, limit=3)
    except Rejected:
        return

    plan = planned(objects, views, wishes)
    warnings = IdRules().warnings(plan.placements)
    result = import_result(plan.placements, plan.failures, warnings, create_new_copies=wishes.create_new_copies)

    assert json_bodies.write(result)
    assert len(plan.placements) + len({each.object.key for each in plan.failures}) == len(objects)
