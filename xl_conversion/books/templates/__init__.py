"""Template workbooks: models that a reader keeps and overwrites, worksheet functions beside native formulas."""
