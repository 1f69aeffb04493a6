"""What the tests stand on: a real PostgreSQL, settable time, wards made through the real service."""
