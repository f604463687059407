"""Exact, explained and tied-out conversion prices of convertible preferred stock.

Start reading at :mod:`xl_conversion.core.adjustments`: one function per clause of a charter.
"""

import os

__version__ = "0.1.0"

# openpyxl writes other bytes where it finds lxml; ours are the same wherever openpyxl was not imported before.
os.environ.setdefault("OPENPYXL_LXML", "False")
