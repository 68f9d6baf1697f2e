"""What would Kibana have written about the runs? Documents made of the rows of the event log, and searches in them.

A search is a condition on documents (`conditions`), which whoever reads a query language makes of what he read
(`asking`). It becomes SQL on the table (`compiling`) by what stands where in a document (`fields`); the rows that are
found become documents (`document`). Nothing is stored for it.
"""

from connectory_projections.event_documents.document import Product
from connectory_projections.event_documents.search import EventDocument, Order, count, outcomes, search

__all__ = ["EventDocument", "Order", "Product", "count", "outcomes", "search"]
