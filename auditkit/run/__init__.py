"""One run, from settings to files: prepared, asked, measured, judged, written."""
