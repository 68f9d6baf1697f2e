"""What answers say about the server that gives them."""

import uuid

from connectory_projections.event_documents import Product


def server_uuid(name: str) -> str:
    """It follows from the server's name, so that a restart does not change it."""
    return str(uuid.uuid5(uuid.NAMESPACE_DNS, name))


def product_of(name: str) -> Product:
    return Product(server_uuid(name))
