"""The HTTP edge: checks what comes in, hands changes and runs to the log, and answers from the read models."""

from connectory.gateway.read_models import ReadModels, queried
from connectory.gateway.server import GatewayDependencies, run_gateway

__all__ = ["GatewayDependencies", "ReadModels", "queried", "run_gateway"]
