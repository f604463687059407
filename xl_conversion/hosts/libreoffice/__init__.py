"""LibreOffice Calc: the add-in that makes the worksheet functions its own, and what runs inside it."""
