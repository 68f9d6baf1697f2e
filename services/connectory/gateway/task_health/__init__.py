"""The health of the executors: what they report, what follows from it, and the document that shows it."""
