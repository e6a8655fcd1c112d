"""What a run shows: one page, and the numbers behind it."""
