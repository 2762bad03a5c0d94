"""The figures of page and PDF, drawn from the record."""
