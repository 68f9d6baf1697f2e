"""Connectors as an aggregate leaves them on the log."""

from datetime import UTC, datetime

from connectory.domain.connector import Active
from connectory.domain.json_types import JsonObject
from connectory.infra.crypto import SecretsVault


def webhook(connector_id: str, url: str, vault: SecretsVault, headers: JsonObject | None = None) -> Active:
    now = datetime.now(UTC)
    return Active(
        connector_id=connector_id,
        space_id="default",
        name="benchmark",
        connector_type_id=".webhook",
        config={"url": f"{url}/{connector_id}", "method": "post", "hasAuth": True, "headers": headers},
        secrets=vault.seal(connector_id, {"user": "benchmark", "password": "benchmark-password"}),
        version=1,
        created_at=now,
        created_by=None,
        updated_at=now,
        updated_by=None,
        recent_commands=(),
    )
