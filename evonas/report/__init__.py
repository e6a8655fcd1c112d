"""What people see of a run: read from its history, never a part of it."""
