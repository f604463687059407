"""Workbooks as files: read, designed, written, refreshed (openpyxl)."""
