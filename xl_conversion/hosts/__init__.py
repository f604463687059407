"""The programs that call the worksheet functions: Excel (through xlwings) and LibreOffice Calc."""
