"""The read models. One file a projection, its SQL beside it; `ALL` is the registration."""
