"""The function gallery: a workbook with a sheet for each worksheet function, live, checked and explained."""
