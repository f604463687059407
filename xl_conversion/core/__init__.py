"""The exact core: rational arithmetic on plain values. It reads no file, no clock and no global."""
