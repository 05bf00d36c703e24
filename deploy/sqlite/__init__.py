"""SQLite for one busy process: writers queue in the process instead of polling the file's lock."""
