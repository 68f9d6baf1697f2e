"""The contracts of routes, a module for each area: what `gateway.contract` tells of is filled in here."""
