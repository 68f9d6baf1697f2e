"""Connectory: one central, event-sourced place for connections to other systems."""

__version__ = "0.1.0"
