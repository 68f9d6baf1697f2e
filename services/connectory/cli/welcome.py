"""What `connectory up` says when it is ready."""

import shlex
from collections.abc import Iterator
from pathlib import Path

from connectory.cli.accounts import Access
from connectory.infra.running_system import RunningSystem
from connectory.infra.security import AdminAccount


def welcome(system: RunningSystem, access: Access, data_dir: Path, *, in_memory: bool) -> str:
    """Several lines: where it answers, who may log in, and a command to try that works as it stands."""
    return "\n".join(_lines(system, access, data_dir, in_memory=in_memory))


def _lines(system: RunningSystem, access: Access, data_dir: Path, *, in_memory: bool) -> Iterator[str]:
    yield from ("", "Connectory is ready.", "", f"  URL       {system.url}")
    if access.admin:
        yield from _account(access.admin, data_dir)
    if system.kafka_bootstrap_servers:
        yield f"  Kafka     {system.kafka_bootstrap_servers}"
    if in_memory:
        yield from ("", "Nothing survives this process: the log is kept in memory.")
    yield from ("", "Try it in another shell:", "", f"  {_command(system, access)}", "")
    kept = "" if in_memory else f" What was done is kept in {data_dir}."
    yield f"Ctrl-C ends it.{kept}"


def _account(admin: AdminAccount, data_dir: Path) -> Iterator[str]:
    """The password itself is shown once, when it was made."""
    yield f"  user      {admin.user}"
    if admin.created and admin.password:
        yield f"  password  {admin.password.get_secret_value()}"
        yield f"            kept in {data_dir / admin.password_file.name}; it is not shown again"
    elif admin.password:
        yield f"  password  in {data_dir / admin.password_file.name}"
    else:
        yield f"  password  as set in {data_dir}"


def _command(system: RunningSystem, access: Access) -> str:
    user = ""
    if access.admin:
        file = shlex.quote(str(access.admin.password_file.absolute()))
        user = f'--user "{access.admin.user}:$(cat {file})" '
    return f"curl {user}{system.url}/api/actions/connector_types"
