"""The outside, one product for each file."""
