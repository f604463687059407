"""The worksheet functions: what exists, how cells become exact numbers, how a call runs."""
