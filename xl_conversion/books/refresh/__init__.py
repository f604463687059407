"""New figures in a workbook that is kept: its inputs replaced, its cached values computed again."""
