"""Finds images, reasons and unfinished tasks in answers of servers, whatever their shape. Pure."""
