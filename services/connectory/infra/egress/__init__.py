"""The one way out: every call to the world outside passes here, and is judged here.

Allowed hosts are checked on every hop, addresses at the time they are dialled; time, size and redirects are bounded.
"""

from connectory.infra.egress.client import HttpEgress, open_egress
from connectory.infra.egress.hosts import AllowedHosts
from connectory.infra.egress.proxies import Proxy, proxy
from connectory.infra.egress.settings import EgressSettings

__all__ = ["AllowedHosts", "EgressSettings", "HttpEgress", "Proxy", "open_egress", "proxy"]
