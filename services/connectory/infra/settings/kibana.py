"""Keys outside `xpack.actions.` and `connectory.` that mean here what they mean in Kibana."""

import socket
from datetime import timedelta
from typing import Annotated, Literal, Self

from annotated_types import Ge, Le, MinLen
from pydantic import model_validator

from connectory.infra.settings.declaration import SettingsGroup, computed_setting, required, setting
from connectory.infra.settings.value_types import (
    AtLeast,
    ByteSize,
    Duration,
    EncryptionKey,
    Entry,
    ListOf,
    MapOf,
    OrUnset,
    Positive,
    Whole,
    matching,
)

Percent = Annotated[Whole, Ge(0), Le(100)]
BasePath = Annotated[str, matching("^(/[^/]+)*$", "a path that starts with a slash and does not end with one")]
BaseUrl = Annotated[str, matching("^https?://[^/].*[^/]$", "an http or https URL without a slash at the end")]


class ServerSettings(SettingsGroup):
    name: Annotated[str, MinLen(1)] = computed_setting(
        "server.name", socket.gethostname, "host name", "Sent as `kbn-name` on every response"
    )
    base_path: BasePath = setting(
        "server.basePath", "", "Stands before every path; starts with `/`, does not end with it"
    )
    public_base_url: OrUnset[BaseUrl] = setting(
        "server.publicBaseUrl",
        None,
        "Where users reach the gateway, for the link below e-mails; no slash at the end",
    )
    max_payload: ByteSize = setting("server.maxPayload", 1_048_576, "Largest request body")
    restrict_internal_apis: bool = setting(
        "server.restrictInternalApis",
        True,
        "Whether internal routes need `x-elastic-internal-origin`",
    )
    xsrf_allowed_schemes: ListOf[Literal["apikey", "bearer"]] = setting(
        "server.xsrf.allowedSchemes", (), "Schemes of logins whose requests need no `kbn-xsrf`"
    )


class EncryptionSettings(SettingsGroup):
    key: EncryptionKey | None = setting(
        "xpack.encryptedSavedObjects.encryptionKey", None, "Seals secrets. Unset: `up` makes one, `serve` refuses"
    )
    decryption_only_keys: ListOf[EncryptionKey] = setting(
        "xpack.encryptedSavedObjects.keyRotation.decryptionOnlyKeys", (), "Earlier keys, which still open secrets"
    )

    @model_validator(mode="after")
    def _primary_is_not_old(self) -> Self:
        if self.key in self.decryption_only_keys:
            raise ValueError(
                "`keyRotation.decryptionOnlyKeys` cannot contain primary encryption key specified in `encryptionKey`."
            )
        return self


class SpacesSettings(SettingsGroup):
    max_spaces: Annotated[Whole, Ge(1)] = setting(
        "xpack.spaces.maxSpaces", 1000, "Most spaces that there can be, the default one included"
    )
    allow_feature_visibility: bool = setting(
        "xpack.spaces.allowFeatureVisibility", True, "Whether `disabledFeatures` of a space may be set"
    )
    allow_solution_visibility: bool = setting(
        "xpack.spaces.allowSolutionVisibility", True, "Whether `solution` of a space may be set"
    )


class SavedObjectsSettings(SettingsGroup):
    max_import_export_size: Positive = setting(
        "savedObjects.maxImportExportSize", 10_000, "Most objects of an export or an import"
    )
    max_import_payload_bytes: ByteSize = setting(
        "savedObjects.maxImportPayloadBytes", 26_214_400, "Largest file of an import, with the form around it"
    )


class ExecutionThreshold(SettingsGroup):
    """Shares of failed runs, in percent, that are still well."""

    error_threshold: Percent = required()
    warn_threshold: Percent = required()


class TaskManagerSettings(SettingsGroup):
    request_capacity: Positive = setting(
        "xpack.task_manager.request_capacity",
        1000,
        "Requests of a partition read ahead, where `connectory.executor.windowRequests` does not say",
    )
    poll_interval: Annotated[Duration, AtLeast(timedelta(milliseconds=100))] = setting(
        "xpack.task_manager.poll_interval", timedelta(milliseconds=500), "Longest wait of one poll for requests"
    )
    given_capacity: Positive | None = setting(
        "xpack.task_manager.capacity",
        None,
        "Actions carried out at once by an executor, where `connectory.executor.inFlight` does not say. Unset: 10 in "
        "the health document",
    )
    max_workers: Positive | None = setting(
        "xpack.task_manager.max_workers",
        None,
        "An older name of `capacity`, which counts before it",
    )
    stats_refresh_rate: Annotated[Duration, AtLeast(timedelta(seconds=1))] = setting(
        "xpack.task_manager.monitored_aggregated_stats_refresh_rate",
        timedelta(seconds=60),
        "How often an executor finds out what is open",
    )
    running_average_window: Positive = setting(
        "xpack.task_manager.monitored_stats_running_average_window",
        50,
        "Samples behind averages and percentiles",
    )
    error_threshold: Percent = setting(
        "xpack.task_manager.monitored_task_execution_thresholds.default.error_threshold",
        90,
        "Share of `Failed`, in percent, above which the status is `error`",
    )
    warn_threshold: Percent = setting(
        "xpack.task_manager.monitored_task_execution_thresholds.default.warn_threshold",
        80,
        "The same for `warn`",
    )
    custom_thresholds: MapOf[Entry[ExecutionThreshold]] = setting(
        "xpack.task_manager.monitored_task_execution_thresholds.custom",
        {},
        "`{error_threshold, warn_threshold}` by task type, such as `actions:.webhook`",
    )
    verbose_log: bool = setting(
        "xpack.task_manager.monitored_stats_health_verbose_log.enabled",
        False,
        "Whether the health document is logged when its status becomes worse",
    )

    @property
    def capacity(self) -> int | None:
        return self.given_capacity or self.max_workers
