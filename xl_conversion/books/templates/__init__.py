"""Template workbooks: models that a reader keeps and overwrites, with worksheet functions beside native formulas."""
