"""Brings the sources together: the higher one wins, each key is known or refused, and all problems come at once.

The merging is done here because a setting comes whole from one source, and because variables go by the table of known
names: `_` within a name, `_FILE`, and indexed variables are not what a library's nesting by delimiter expects.
"""

import logging
import os
import re
from collections import ChainMap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from connectory.domain.errors import SettingsInvalid
from connectory.infra.settings.cautions import cautions
from connectory.infra.settings.declaration import KnownSetting, known_settings
from connectory.infra.settings.maps import gather_maps, merge_by_key
from connectory.infra.settings.model import Settings
from connectory.infra.settings.other_keys import (
    GONE,
    INBOUND_EVENTS,
    NEEDS_SOMETHING,
    PROGRAM_VARIABLES,
    WITHOUT_EFFECT,
    find_other_key,
    find_other_variable,
)
from connectory.infra.settings.sources import (
    Values,
    read_environment,
    read_yaml,
    substitute,
    variable_forms,
    without_index,
)
from connectory.infra.settings.value_types import parse_object
from connectory.infra.settings.violations import unknown_key, violation, violations

OWN_FILE: Final = Path("connectory.yml")
KIBANA_CONFIG_VARIABLE: Final = "CONNECTORY_KIBANA_CONFIG"

_OURS: Final = ("xpack.actions.", "connectory.")
_OUR_VARIABLES: Final = ("XPACK_ACTIONS_", "CONNECTORY_")
_SERVICE_LINK: Final = re.compile(r".+_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_\w+)?)")
_log = logging.getLogger(__name__)


def load_settings(
    overrides: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    config_file: Path | None = None,
    kibana_config: Path | None = None,
) -> Settings:
    """Read all sources: overrides (dotted names) > environment > `connectory.yml` > kibana.yml > defaults.

    Without `config_file`, `connectory.yml` of the working directory is read if it is there; without `kibana_config`,
    the file named by `CONNECTORY_KIBANA_CONFIG`. Raises `SettingsInvalid` with one line for each problem.
    """
    reading = _Reading(os.environ if environ is None else environ)
    sources = [
        reading.overrides(overrides or {}),
        reading.environment(),
        reading.own_file(config_file),
        reading.kibana_file(kibana_config),
    ]
    settings = _build(_merged(sources, reading.known), reading.known, reading.problems)
    for caution in cautions(settings):
        _log.warning(caution)
    return settings


@dataclass(frozen=True, slots=True)
class _Reading:
    """One pass over the sources. What is wrong is gathered in `problems`."""

    environ: Mapping[str, str]
    known: Mapping[str, KnownSetting] = field(default_factory=lambda: {s.name: s for s in known_settings(Settings)})
    problems: list[str] = field(default_factory=list)

    @property
    def maps(self) -> Sequence[KnownSetting]:
        return [each for each in self.known.values() if each.is_map]

    def overrides(self, values: Mapping[str, object]) -> Values:
        gathered = gather_maps(values, self.maps)
        return {name: value for name, value in gathered.items() if self._is_known(name, value)}

    def environment(self) -> Values:
        self._check_variables()
        return read_environment(self.known.values(), self.environ, self.problems)

    def own_file(self, path: Path | None) -> Values:
        path = path or (OWN_FILE if OWN_FILE.is_file() else None)
        return self._substituted(self._file(path)) if path else {}

    def kibana_file(self, path: Path | None) -> Values:
        """Keys that are neither ours nor settings belong to other parts of Kibana and are passed over."""
        named = self.environ.get(KIBANA_CONFIG_VARIABLE)
        path = path or (Path(named) if named else None)
        values = self._file(path) if path else {}
        return self._substituted({n: value for n, value in values.items() if n in self.known or _is_ours(n)})

    def _file(self, path: Path) -> Values:
        try:
            return read_yaml(path, self.maps)
        except SettingsInvalid as error:
            self.problems.append(error.message)
            return {}

    def _substituted(self, values: Values) -> Values:
        return {
            name: substitute(name, value, self.environ, self.problems)
            for name, value in values.items()
            if self._is_known(name, value)
        }

    def _is_known(self, name: str, value: object) -> bool:
        if name in self.known:
            return True
        other = find_other_key(name)
        if other is not None:
            self._report(other, name, value)
        elif name in NEEDS_SOMETHING and not value:
            self.problems.append(violation(name, NEEDS_SOMETHING[name]))
        elif not self._is_empty_section(name, value):
            self.problems.append(unknown_key(name, self.known))
        return False

    def _is_empty_section(self, name: str, value: object) -> bool:
        """`connectory.http:` with nothing below it."""
        return not value and any(known.startswith(f"{name}.") for known in (*self.known, *WITHOUT_EFFECT))

    def _check_variables(self) -> None:
        spelled = {
            form for setting in self.known.values() for name in setting.variables for form in variable_forms(name)
        }
        for variable, value in self.environ.items():
            if not variable.startswith(_OUR_VARIABLES) or without_index(variable) in spelled:
                continue
            other = find_other_variable(variable)
            if other is not None:
                self._report(other, other, value)
            elif variable not in PROGRAM_VARIABLES and not _is_service_link(variable, value):
                self.problems.append(unknown_key(variable, spelled))

    def _report(self, key: str, name: str, value: object) -> None:
        """Say what becomes of a key that is known and yet not a setting."""
        if key in GONE:
            self.problems.append(violation(name, f"this setting is gone: {GONE[key]}"))
        elif name == INBOUND_EVENTS and value in (True, "true"):
            _log.warning("The setting %s is true, but inbound events are not offered.", name)
        else:
            _log.info("The setting %s has no effect in Connectory.", name)


def _merged(sources: Sequence[Values], known: Mapping[str, KnownSetting]) -> Mapping[str, object]:
    """A setting comes whole from the highest source that has it; of a merged one, each entry does."""
    merged = dict(ChainMap(*sources))
    for name in merged:
        if known[name].is_merged:
            merged[name] = merge_by_key([{n: parse_object(v) for n, v in each.items()} for each in sources], name)
    return merged


def _build(merged: Mapping[str, object], known: Mapping[str, KnownSetting], problems: list[str]) -> Settings:
    try:
        settings = Settings.model_validate(_nested(merged, known))
    except ValidationError as error:
        problems.extend(violations(error))
    else:
        if not problems:
            return settings
    # Without its cause: a validation error holds what was put in, secrets included.
    raise SettingsInvalid("\n".join(dict.fromkeys(problems))) from None


def _nested(merged: Mapping[str, object], known: Mapping[str, KnownSetting]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for name, value in merged.items():
        *groups, _attribute = known[name].path
        place = tree
        for group in groups:
            place = place.setdefault(group, {})
        place[name] = value
    return tree


def _is_ours(name: str) -> bool:
    return f"{name}.".startswith(_OURS)


def _is_service_link(variable: str, value: str) -> bool:
    """Kubernetes sets such variables for a service that is called `connectory`."""
    return bool(_SERVICE_LINK.fullmatch(variable)) or value.startswith(("tcp://", "udp://"))
