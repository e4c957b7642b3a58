"""How long a test waits for what has to happen.  Only a failing test waits so long, on however busy a machine."""

SOON = 90.0  # seconds
