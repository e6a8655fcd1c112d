"""What people look at of a run, while it goes and after it."""
