"""The projector: applies the log to the read models, drops what has expired, and rebuilds read models beside the live
ones.
"""

from connectory.projector.rebuild import RebuildReport, rebuild
from connectory.projector.run import run_projector

__all__ = ["RebuildReport", "rebuild", "run_projector"]
