"""Stand-ins for the world outside, for tests of every tier."""
