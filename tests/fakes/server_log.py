"""A server log that remembers."""


class RecordingServerLog:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str]] = []

    def write(self, level: str, message: str) -> None:
        self.lines.append((level, message))


class BrokenServerLog:
    def write(self, level: str, message: str) -> None:
        raise OSError("no space left")
