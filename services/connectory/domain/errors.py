"""The one tree of errors.

Each error has a stable `code`, which edges (HTTP, CLI, event log, dead letters) translate in one place each, and a
message that says what was wrong and what to do. No message ever holds a secret.
"""

from datetime import datetime


class ConnectoryError(Exception):
    """Root of all errors that Connectory raises on purpose."""

    code = "internal"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Refused(ConnectoryError):
    """A command or request that breaks a rule. Refusals are answers, not events."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code

    @classmethod
    def not_found(cls, connector_id: str) -> "Refused":
        return cls("connector-not-found", f"Saved object [action/{connector_id}] not found")

    @classmethod
    def conflict(cls, connector_id: str) -> "Refused":
        return cls("connector-conflict", f"Saved object [action/{connector_id}] conflict")

    @classmethod
    def other_type(cls, version: int, type_then: str, type_now: str) -> "Refused":
        """Of a version that is to be restored."""
        text = f'version {version} is of the type "{type_then}" and the connector is of the type "{type_now}" now'
        return cls("connector-of-other-type", f"{text}: create one anew instead")

    @classmethod
    def type_not_registered(cls, type_id: str) -> "Refused":
        return cls("type-not-registered", f'Action type "{type_id}" is not registered.')

    @classmethod
    def type_disabled(cls, message: str) -> "Refused":
        return cls("type-disabled", message)

    @classmethod
    def config_invalid(cls, detail: str) -> "Refused":
        return cls("config-invalid", f"error validating connector type config: {detail}")

    @classmethod
    def secrets_invalid(cls, detail: str) -> "Refused":
        return cls("secrets-invalid", f"error validating connector type secrets: {detail}")

    @classmethod
    def connector_invalid(cls, detail: str) -> "Refused":
        return cls("connector-invalid", f"error validating action type connector: {detail}")

    @classmethod
    def secrets_undefined(cls) -> "Refused":
        """What a type says whose connector was imported without its secrets."""
        return cls.connector_invalid("secrets must be defined")

    @classmethod
    def secrets_missing(cls, name: str) -> "Refused":
        """Of a connector that was imported: nobody has given its secrets yet."""
        text = f'Unable to execute action because no secrets are defined for the "{name}" connector.'
        return cls("secrets-missing", text)

    @classmethod
    def params_invalid(cls, detail: str) -> "Refused":
        return cls("params-invalid", f"error validating action params: {detail}")


class RateLimited(ConnectoryError):
    """A run that has to wait for others of its type. `until` is when there is room again."""

    code = "rate-limited"

    def __init__(self, message: str, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class Undecodable(ConnectoryError):
    """Bytes on a topic that are not a record of ours."""

    code = "undecodable"


class Unencodable(ConnectoryError):
    """A value that no record on the log can hold: NaN, JSON nested too deep, a number out of range."""

    code = "unencodable"


class SecretsUnreadable(ConnectoryError):
    """Secrets that none of the configured keys opens."""

    code = "secrets-unreadable"


class EncryptionKeyMissing(SecretsUnreadable):
    """No key is configured. `task` is what cannot be done without: `create actions client` or `execute action`."""

    code = "encryption-key-missing"

    def __init__(self, task: str) -> None:
        super().__init__(
            f"Unable to {task} because the Encrypted Saved Objects plugin is missing encryption key. "
            "Please set xpack.encryptedSavedObjects.encryptionKey in the kibana.yml "
            "or use the bin/kibana-encryption-keys command."
        )


class Unavailable(ConnectoryError):
    """A server that we depend on (the broker, the database) cannot be reached now."""

    code = "unavailable"


class MessageTooLarge(ConnectoryError):
    """A record that the log would not take, found before anything of the call was written."""

    code = "message-too-large"


class RowsRefused(ConnectoryError):
    """Rows that the database will not take, however often they are sent."""

    code = "rows-refused"


class Fenced(ConnectoryError):
    """Another instance has taken over what this one was working on. Stop, and join anew."""

    code = "fenced"


class SettingsInvalid(ConnectoryError):
    """Settings that cannot be used; the message has one line for each problem."""

    code = "settings-invalid"


def causes(error: BaseException) -> list[BaseException]:
    """What went wrong: the error itself, or all that a group holds, however deep."""
    if isinstance(error, BaseExceptionGroup):
        return [cause for each in error.exceptions for cause in causes(each)]
    return [error]
