"""Exact, explained and tied-out conversion prices of convertible preferred stock.

Start reading at :mod:`xl_conversion.core.adjustments`: one function per clause of a charter.
"""

__version__ = "0.1.0"
