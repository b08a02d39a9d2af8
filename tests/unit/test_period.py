"""Half-years: codes, half-open bounds, and the day on which a local midnight falls."""

from datetime import UTC, date, datetime

import pytest

from halfyear import period
from halfyear.errors import UsageError
from halfyear.period import Period


def test_bounds_are_half_open() -> None:
    first, second = period.parse("2022-S1"), period.parse("2022-s2 ")
    assert (first.first_day, first.last_day, first.next_day) == (date(2022, 1, 1), date(2022, 6, 30), date(2022, 7, 1))
    assert (second.first_day, second.next_day) == (date(2022, 7, 1), date(2023, 1, 1))


@pytest.mark.parametrize("text", ["2022", "2022-S3", "2022S1", "2022-S1x", "", "22-S1"])
def test_other_codes_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="half-year"):
        period.parse(text)


@pytest.mark.parametrize(
    ("moment", "code"),
    [
        (date(2022, 6, 30), "2022-S1"),
        (date(2022, 7, 1), "2022-S2"),
        # 16:30 UTC on 30 June is half past midnight of 1 July in Asia/Shanghai.
        (datetime(2022, 6, 30, 16, 30, tzinfo=UTC), "2022-S2"),
        (datetime(2022, 6, 30, 15, 59, 59, tzinfo=UTC), "2022-S1"),
        (datetime(2022, 6, 30, 23, 59), "2022-S1"),
    ],
)
def test_half_year_of_a_moment(moment: date, code: str) -> None:
    assert str(period.of(moment)) == code


def test_neighbours() -> None:
    first = Period(2022, 1)
    assert [str(p) for p in (first.previous, first.next, first.year_ago)] == ["2021-S2", "2022-S2", "2021-S1"]
    assert [str(p) for p in period.between(Period(2020, 2), first)] == ["2020-S2", "2021-S1", "2021-S2", "2022-S1"]
    assert period.between(first, first.previous) == []


@pytest.mark.parametrize(
    ("code", "kind", "first", "last"),
    [
        ("2022-S1", "half_year", date(2022, 1, 1), date(2022, 6, 30)),
        ("2022-S2", "half_year", date(2022, 7, 1), date(2022, 12, 31)),
        ("2022-Q1", "quarter", date(2022, 1, 1), date(2022, 3, 31)),
        ("2022-Q4", "quarter", date(2022, 10, 1), date(2022, 12, 31)),
        ("2024-02", "month", date(2024, 2, 1), date(2024, 2, 29)),
        ("2022-12", "month", date(2022, 12, 1), date(2022, 12, 31)),
    ],
)
def test_half_years_quarters_and_months(code: str, kind: str, first: date, last: date) -> None:
    assert period.span(code) == period.Span(kind, first, last)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "code", ["2022-S3", "2022-13", "2022-00", "2022-Q5", "2022-Q0", "2022-3", "2022", "2022-03-01"]
)
def test_a_period_that_does_not_exist_is_refused(code: str) -> None:
    with pytest.raises(UsageError, match="no such period"):
        period.span(code)


def test_what_lies_within_a_half_year() -> None:
    codes = period.codes_within(Period(2022, 2))
    assert codes == ["2022-S2", "2022-Q3", "2022-Q4", *(f"2022-{month:02d}" for month in range(7, 13))]
    assert all(Period(2022, 2) == period.of(period.span(code).last_day) for code in codes)
