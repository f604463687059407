"""The sheets of the template "Conversion chain model": notes that convert into preferred, and that into common."""
