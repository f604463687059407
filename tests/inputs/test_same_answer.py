"""One input, one answer: the history, the tie-out and the finished workbook give the same figures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from xl_conversion.core.history import history, replay
from xl_conversion.core.solver import solve_round
from xl_conversion.core.tie_out import Finding, tie_out, tie_out_history
from xl_conversion.examples import write_example
from xl_conversion.inputs.problems import InputError
from xl_conversion.inputs.reading import Case, read_cases, read_companies


def _findings(case: Case) -> tuple[Finding, ...]:
    return tie_out_history(case.changes, case.issuances, case.stated)


ABOVE = {
    "series": [
        {
            "series": "A",
            "company": "Co",
            "original_issue_price": "2",
            "conversion_price": "2",
            "price_decimals": "4",
        }
    ],
    "events": [
        {
            "series": "A",
            "event": "E",
            "date": "2020-01-01",
            "kind": "issuance",
            "outstanding_before": "100",
            "other_before": "0",
            "outstanding_after": "200",
            "other_after": "100",
        }
    ],
    "securities": [
        {
            "series": "A",
            "event": "E",
            "security": "s",
            "kind": "shares",
            "shares": "100",
            "consideration": "300",
        }
    ],
}


@pytest.mark.parametrize(("paid", "price"), [("300", "2"), ("200", "2"), ("150", "1.1667")])
def test_the_trigger_is_the_price_of_what_was_issued(tmp_path: Path, paid: str, price: str) -> None:
    """However many the company counts after it: 100 shares for 300 are 3.00 each, above the price of 2.00."""
    tables = json.loads(json.dumps(ABOVE))
    tables["securities"][0]["consideration"] = paid
    (tmp_path / "in.json").write_text(json.dumps(tables))
    (case,) = read_cases(tmp_path / "in.json")
    (adjustment,) = replay(case.series, case.issuances)
    (change,) = case.changes
    assert (adjustment.price, adjustment.price_unrounded) == (change.price, change.unrounded)
    assert float(change.price) == float(price)
    assert adjustment.price_steps[-1].value == change.steps()[-1].value == change.price


def test_further_terms_change_nothing_of_a_tie_out_that_they_do_not_concern(tmp_path: Path) -> None:
    write_example(tmp_path / "plain")
    write_example(tmp_path / "more")
    path = tmp_path / "more" / "series.csv"
    header, row = path.read_text().splitlines()
    path.write_text(f"{header},downward_only\n{row},yes\n")
    (plain,), (more,) = read_cases(tmp_path / "plain"), read_cases(tmp_path / "more")
    assert more.more
    assert _findings(more) == _findings(plain)
    # Nor does the way in which the plain one is computed step by step.
    (adjustment,) = replay(plain.series, plain.issuances)
    assert _findings(plain) == tie_out(adjustment, plain.stated)


def test_a_round_needs_the_common_outstanding(tmp_path: Path) -> None:
    (tmp_path / "in.json").write_text(json.dumps(ABOVE))
    (read,) = read_companies(tmp_path / "in.json")
    with pytest.raises(ValueError, match=r"^outstanding is blank; "):
        solve_round(history(read.company).state, 100, 1000)


def test_a_correction_keeps_the_series_of_what_it_corrects(tmp_path: Path) -> None:
    write_example(tmp_path, example="company")
    path = tmp_path / "events.csv"
    lines = path.read_text().splitlines()
    waiver = next(line for line in lines if line.startswith("Bridge waiver,"))
    cells = waiver.split(",")
    cells[0], cells[2] = "Waiver again", ""
    columns = lines[0].split(",")
    cells[columns.index("corrects")] = "Bridge waiver"
    path.write_text("\n".join([*lines, ",".join(cells)]) + "\n")
    (read,) = read_companies(tmp_path)
    rows = [c.series.name for c in history(read.company).changes if c.event.event == "Bridge waiver"]
    assert rows == ["Series B"]


def test_nothing_is_read_of_a_series_twice(tmp_path: Path) -> None:
    tables = json.loads(json.dumps(ABOVE))
    tables["capitalization"] = [{"class": "A", "kind": "preferred", "shares": "7"}]
    tables["series"][0]["preferred_shares"] = "8"
    (tmp_path / "in.json").write_text(json.dumps(tables))
    with pytest.raises(InputError, match="preferred_shares of the series A says otherwise"):
        read_cases(tmp_path / "in.json")
