"""The working paper of one series: native formulas only, each with its value, tied out and checked."""

from __future__ import annotations

from xl_conversion.books.finished.assemble import finished_workbook, paper_adjustments

__all__ = ["finished_workbook", "paper_adjustments"]
