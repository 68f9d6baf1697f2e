"""What the settings of the connection to Kafka ask for."""

from pathlib import Path

import pytest

from connectory.domain.errors import SettingsInvalid
from connectory.infra.kafka.connection import Connection
from connectory.infra.settings import KafkaSettings


def test_a_certificate_file_that_is_missing_is_named_with_its_setting(tmp_path: Path) -> None:
    missing = tmp_path / "ca.pem"
    settings = KafkaSettings(bootstrap_servers="localhost:1", security_protocol="SSL", ssl_ca_file=missing)
    with pytest.raises(SettingsInvalid, match=r"connectory\.kafka\.ssl .*ca\.pem: No such file"):
        Connection(settings)


def test_a_certificate_file_that_is_no_certificate_is_named_with_its_setting(tmp_path: Path) -> None:
    garbage = tmp_path / "ca.pem"
    garbage.write_text("garbage")
    settings = KafkaSettings(bootstrap_servers="localhost:1", security_protocol="SSL", ssl_ca_file=garbage)
    with pytest.raises(SettingsInvalid, match=r"connectory\.kafka\.ssl .*ca\.pem"):
        Connection(settings)
