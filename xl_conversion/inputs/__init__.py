"""Input files: tables of text, checked and made into the records of the core."""
