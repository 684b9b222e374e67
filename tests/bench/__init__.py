"""Figures, printed as a table: ``make bench``. Each stands beside a raw limit measured in the same run."""
