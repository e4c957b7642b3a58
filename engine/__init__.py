"""Backprop Clinic's engine: NumPy networks that record why they do, or do not, train."""
