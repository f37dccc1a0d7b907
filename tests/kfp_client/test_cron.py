import pytest

from tunesmith.errors import SpecError
from tunesmith.kfp_client.cron import read_cron, read_duration


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("0 3 * * 1", "0 0 3 * * 1"),
        ("*/15 * * * *", "0 */15 * * * *"),
        ("0 0 1,15 * *", "0 0 0 1,15 * *"),
        ("30 6 * * mon-fri", "0 30 6 * * 1-5"),
        ("0 12 * JAN,jul sun", "0 0 12 * 1,7 0"),
        ("0 3 * * 7", "0 0 3 * * 0"),
        ("0 3 ? * 6,7", "0 0 3 ? * 6,0"),
        ("15 0 3 * * 1", "15 0 3 * * 1"),
        ("0 3-23/4 * * *", "0 0 3-23/4 * * *"),
    ],
)
def test_five_fields_become_kubeflows_six(given: str, read: str) -> None:
    assert read_cron(given) == read


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("0 3 * *", "needs five fields"),
        ("61 3 * * 1", "'61' is no minute; allowed: 0 to 59"),
        ("0 24 * * 1", "'24' is no hour; allowed: 0 to 23"),
        ("0 3 0 * *", "'0' is no day of the month; allowed: 1 to 31"),
        ("0 3 * 13 *", "'13' is no month; allowed: 1 to 12"),
        ("0 3 * * monday", "'monday' is no day of the week; allowed: 0 to 6"),
        ("*/0 * * * *", "must be at least 1"),
        ("5-1 * * * *", "the range 5-1 runs backwards"),
        ("@weekly", "needs five fields"),
        ("0 3 * * 1;", "'1;' is none of"),
    ],
)
def test_a_field_that_is_wrong_is_named(given: str, words: str) -> None:
    with pytest.raises(SpecError, match=f"^cron: got '.*': {words}|^cron: got .*{words}"):
        read_cron(given)


def test_durations_are_read() -> None:
    assert [read_duration(text, "every") for text in ("60s", "90m", "12h", "7d", "2w")] == [60, 5400, 43200, 604800, 1209600]


@pytest.mark.parametrize("text", ["7", "7 days", "0d", "59s", "-1h", ""])
def test_a_duration_that_is_none_is_told(text: str) -> None:
    with pytest.raises(SpecError, match=r"^every: got .*; needs a time from 1m"):
        read_duration(text, "every")
