"""What errors of the database mean."""

import asyncpg
import pytest

from connectory.domain.errors import ConnectoryError, RowsRefused, Unavailable
from connectory.infra.postgres.errors import translated


@pytest.mark.parametrize(
    ("error", "meaning"),
    [
        (asyncpg.ProgramLimitExceededError("index row size 4000 exceeds btree version 4 maximum"), RowsRefused),
        (asyncpg.NotNullViolationError("null value"), RowsRefused),
        (asyncpg.AdminShutdownError("terminating connection"), Unavailable),
        (ConnectionResetError(), Unavailable),
    ],
)
def test_an_error_is_of_the_row_or_of_the_moment(error: Exception, meaning: type[ConnectoryError]) -> None:
    with pytest.raises(meaning), translated("localhost:5432/connectory"):
        raise error
