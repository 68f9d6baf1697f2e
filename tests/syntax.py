"""Reading Python sources."""

import ast
import gc
from pathlib import Path


def syntax_tree(path: Path) -> ast.Module:
    """The syntax tree of a file, parsed with nothing collected meanwhile.

    Python 3.11 breaks off ("recursion depth mismatch") when garbage that it collects there prints a traceback, which is
    parsed as well: an exception that nobody asked for, of a test long over, does so.
    """
    text = path.read_text(encoding="utf-8")
    gc.disable()
    try:
        return ast.parse(text)
    finally:
        gc.enable()
