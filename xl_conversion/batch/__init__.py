"""Many at once: portfolios to workbooks, and columns of numbers by one function."""
