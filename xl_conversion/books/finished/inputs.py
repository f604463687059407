"""The input sheets: terms, events, securities, conversions, each figure with its unit and source."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from xl_conversion.books.finished.draft import Draft, column_format
from xl_conversion.books.page import Page
from xl_conversion.books.wording import term_source
from xl_conversion.core.issuance import Conversion, Issuance, Security
from xl_conversion.inputs.records import ConversionRecord, EventRecord, Record, SecurityRecord, SeriesRecord

PRICE = "money per share"
COMMON = "shares of common"


def inputs_page(draft: Draft) -> None:
    """Terms of the series, and the capitalization around each event."""
    page = draft.book.page("Inputs", "What the figures start from", [46, 22, 20, 62, 50])
    series = draft.case.series
    (record,) = (r for r in draft.case.records["series"] if isinstance(r, SeriesRecord))
    page.section("Terms of the series")
    page.header(["Term", "Value", "Unit", "Source", "Note"], numeric="B", freeze=True)
    prices = column_format((series.original_issue_price, series.conversion_price), PRICE)
    for name, label, value in (
        ("original_issue_price", "Original issue price", series.original_issue_price),
        ("conversion_price", "Conversion price before the first event", series.conversion_price),
    ):
        _line(draft, page, name, label, value, PRICE, prices, series.source)
    note = record.note
    for name, label, text in (
        ("price_rounding_type", "Price rounding type", series.price.rounding_type.value),
        ("carried_price", "Price that the next adjustment starts from", series.carried_price.value),
        ("ratio_rounding_type", "Ratio rounding type", series.ratio.rounding_type.value),
        ("ratio_basis", "Price that the ratio is taken from", series.ratio_basis.value),
        ("share_rounding_type", "Share rounding type", series.share_rounding_type.value),
    ):
        decimals = {"price_rounding_type": series.price.decimals, "ratio_rounding_type": series.ratio.decimals}
        if name in decimals:
            places = decimals[name]
            stem = name.partition("_")[0]
            if places is not None:
                column, label_of = f"{stem}_decimals", f"{stem.title()} decimals"
                source = term_source(record, column)
                _line(draft, page, column, label_of, Fraction(places), "digits", "0", source)
        page.text(f"A{page.row}", label, "label")
        # No input of this workbook: another one would need other formulas.
        page.text(f"B{page.row}", text, align="right")
        page.text(f"C{page.row}", "built into the formulas", "muted")
        remark = note if name == "ratio_basis" else ""
        page.text(f"D{page.row}", term_source(record, name), "muted")
        page.text(f"E{page.row}", remark, "muted")
        page.height([(remark, 55)])
        page.row += 1
    for event in (r for r in draft.case.records["events"] if isinstance(r, EventRecord)):
        _event(draft, page, event, next(i for i in draft.case.issuances if i.event == event.event))


def _line(
    draft: Draft, page: Page, name: str, label: str, value: Fraction, unit: str, number: str, source: str
) -> None:
    page.text(f"A{page.row}", label, "label")
    page.number(f"B{page.row}", value, number)
    page.text(f"C{page.row}", unit, "muted")
    page.text(f"D{page.row}", source, "muted")
    page.text(f"E{page.row}", "", "muted")
    page.height([(source, 68)])
    draft.terms[name] = page.address(f"B{page.row}")
    draft.book.name(f"in_{name}", draft.terms[name])
    page.row += 1


def _event(draft: Draft, page: Page, record: EventRecord, issuance: Issuance) -> None:
    page.section(f"Event {issuance.event}: {issuance.description or record.kind}")
    page.header(["Figure", "Value", "Unit", "Source", "Note"], numeric="B")
    page.text(f"A{page.row}", "Date", "label")
    page.day(f"B{page.row}", issuance.date)
    for column, text in (("C", "date"), ("D", issuance.source), ("E", record.note)):
        page.text(f"{column}{page.row}", text, "muted")
    page.height([(issuance.source, 68), (record.note, 55)])
    page.row += 1
    counts = (issuance.outstanding_before, issuance.other_before, issuance.outstanding_after, issuance.other_after)
    number = column_format(counts, COMMON)
    for symbol, label, value, known in (
        ("A", "A: common outstanding before", issuance.outstanding_before, True),
        ("C", "C: common underlying other securities before", issuance.other_before, True),
        ("X", "X: common outstanding after", issuance.outstanding_after, record.outstanding_after is not None),
        ("Y", "Y: common underlying other securities after", issuance.other_after, record.other_after is not None),
    ):
        page.text(f"A{page.row}", label, "label")
        if known:
            page.number(f"B{page.row}", value, number)
        elif symbol == "X":
            page.formula(
                f"B{page.row}",
                f"={draft.find(issuance.event, 'A')}+{draft.find(issuance.event, 'listed')}",
                value,
                number,
            )
        else:
            page.formula(f"B{page.row}", f"={draft.find(issuance.event, 'C')}", value, number)
        page.text(f"C{page.row}", COMMON, "muted")
        page.text(f"D{page.row}", issuance.source if known else "not stated; from the other inputs", "muted")
        page.text(f"E{page.row}", "", "muted")
        page.height([(issuance.source, 68)])
        draft.given[issuance.event, symbol] = page.address(f"B{page.row}")
        page.row += 1


def securities_page(draft: Draft) -> None:
    """What was issued, with the sums that the fraction takes."""
    page = draft.book.page("Securities", "What was issued in each event", [14, 34, 18, 20, 16, 22, 38, 42])
    page.section("Securities issued")
    page.header(
        [
            "Event",
            "Security",
            "Kind",
            "Common, at most",
            "Consideration per share",
            "Consideration, all of it",
            "Source",
            "Note",
        ],
        numeric="DEF",
        freeze=True,
    )
    records = [r for r in draft.case.records["securities"] if isinstance(r, SecurityRecord)]
    formats = _formats(draft.case.issuances)
    for issuance in draft.case.issuances:
        first = page.row
        mine = [r for r in records if r.event == issuance.event]
        for record, security in zip(mine, issuance.securities, strict=True):
            draft.securities[issuance.event, security.name] = page.address(f"D{page.row}")
            _security(page, issuance, record, security, formats)
        last, row = page.row - 1, page.row
        page.text(f"A{row}", issuance.event, "result")
        page.text(f"B{row}", "Together", "result")
        for column in "CEGH":
            page.text(f"{column}{row}", "", "result")
        listed, paid = issuance.listed, issuance.consideration
        page.formula(f"D{row}", f"=SUM(D{first}:D{last})", listed, formats["D"], "result")
        page.formula(f"F{row}", f"=SUM(F{first}:F{last})", paid, formats["F"], "result")
        draft.given[issuance.event, "listed"] = page.address(f"D{row}")
        draft.given[issuance.event, "K"] = page.address(f"F{row}")
        page.row += 2


def _formats(issuances: Sequence[Issuance]) -> dict[str, str]:
    """Of the columns of the securities, sums included."""
    securities = [security for issuance in issuances for security in issuance.securities]
    return {
        "D": column_format([*(s.shares for s in securities), *(i.listed for i in issuances)], COMMON),
        "E": column_format((s.consideration / s.shares for s in securities), PRICE),
        "F": column_format(
            [*(s.consideration for s in securities), *(i.consideration for i in issuances)], "money"
        ),
    }


def _security(
    page: Page, issuance: Issuance, record: SecurityRecord, security: Security, formats: Mapping[str, str]
) -> None:
    row = page.row
    page.text(f"A{row}", issuance.event, "muted")
    page.text(f"B{row}", security.name, "label")
    page.text(f"C{row}", security.kind.value, "input")
    page.number(f"D{row}", security.shares, formats["D"])
    paid, each = security.consideration, security.consideration / security.shares
    if record.consideration_per_share is None:
        page.formula(f"E{row}", f"=F{row}/D{row}", each, formats["E"])
        page.number(f"F{row}", paid, formats["F"])
    else:
        page.number(f"E{row}", each, formats["E"])
        page.formula(f"F{row}", f"=D{row}*E{row}", paid, formats["F"])
    page.text(f"G{row}", security.source, "muted")
    page.text(f"H{row}", record.note, "muted")
    page.height([(security.name, 33), (security.source, 42), (record.note, 46)])
    page.row += 1


def conversions_page(draft: Draft) -> None:
    """From principal to preferred to common, unrounded."""
    # One security's rows together, so that their sum is one range.
    rows = [
        (issuance, conversion)
        for issuance in draft.case.issuances
        for conversion in sorted(issuance.conversions, key=lambda c: _place(issuance, c))
    ]
    if not rows:
        return
    page = draft.book.page(
        "Conversions", "From principal to preferred to common", [12, 34, 12, 18, 14, 14, 17, 18, 18, 28, 38]
    )
    page.section("Conversion chain")
    page.header(
        [
            "Event",
            "Security",
            "Holder",
            "Principal",
            "Principal per preferred",
            "Common per preferred",
            "Conversion price",
            "Preferred, unrounded",
            "Common, unrounded",
            "Source",
            "Note",
        ],
        numeric="DEFGHI",
        freeze=True,
    )
    records = {
        (r.event, r.security, r.holder): r
        for r in draft.case.records["conversions"]
        if isinstance(r, ConversionRecord)
    }
    places: dict[tuple[str, str], list[int]] = {}
    formats = _conversion_formats([conversion for _, conversion in rows])
    for issuance, conversion in rows:
        places.setdefault((issuance.event, conversion.security), []).append(page.row)
        record = records[issuance.event, conversion.security, conversion.holder]
        _conversion(page, issuance, conversion, record, formats)
    page.row += 1
    for (event, security), found in places.items():
        chain = [c for i, c in rows if (i.event, c.security) == (event, security)]
        page.text(f"A{page.row}", event, "result")
        page.text(f"B{page.row}", f"Together: {security}", "result")
        page.height([(f"Together: {security}", 36)])
        for column in "CEFGJK":
            page.text(f"{column}{page.row}", "", "result")
        for column, name, value in (
            ("D", "principal", sum((c.principal for c in chain), Fraction(0))),
            ("H", "preferred", sum((c.preferred for c in chain), Fraction(0))),
            ("I", "common", sum((c.common for c in chain), Fraction(0))),
        ):
            cells = f"{column}{found[0]}:{column}{found[-1]}"
            page.formula(f"{column}{page.row}", f"=SUM({cells})", value, formats[column], "result")
            draft.conversions[event, security, name] = page.address(f"{column}{page.row}")
        page.row += 1


def _place(issuance: Issuance, conversion: Conversion) -> int:
    return [security.name for security in issuance.securities].index(conversion.security)


def _conversion_formats(conversions: Sequence[Conversion]) -> dict[str, str]:
    """Of the columns of the conversions; a sum has no more decimals than what it adds."""
    return {
        "D": column_format((c.principal for c in conversions), "money"),
        "E": column_format((c.preferred_price for c in conversions), PRICE),
        "F": column_format((c.common_per_preferred for c in conversions), COMMON),
        "G": column_format((c.conversion_price for c in conversions), PRICE),
        "H": column_format((c.preferred for c in conversions), COMMON),
        "I": column_format((c.common for c in conversions), COMMON),
    }


def _conversion(
    page: Page, issuance: Issuance, conversion: Conversion, record: Record, formats: Mapping[str, str]
) -> None:
    row = page.row
    page.text(f"A{row}", issuance.event, "muted")
    page.text(f"B{row}", conversion.security, "label")
    page.text(f"C{row}", conversion.holder or "all", "muted")
    page.number(f"D{row}", conversion.principal, formats["D"])
    page.number(f"E{row}", conversion.preferred_price, formats["E"])
    page.number(f"F{row}", conversion.common_per_preferred, formats["F"])
    page.formula(f"G{row}", f"=E{row}/F{row}", conversion.conversion_price, formats["G"])
    page.formula(f"H{row}", f"=D{row}/E{row}", conversion.preferred, formats["H"])
    page.formula(f"I{row}", f"=D{row}*F{row}/E{row}", conversion.common, formats["I"])
    page.text(f"J{row}", conversion.source, "muted")
    page.text(f"K{row}", record.note, "muted")
    page.height([(conversion.security, 36), (conversion.source, 35), (record.note, 50)])
    page.row += 1
