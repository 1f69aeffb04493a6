"""Readings: taken in, kept, judged, and read back."""
