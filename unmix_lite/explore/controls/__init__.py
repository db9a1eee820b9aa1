"""The controls: what each computes in Python, and the data it gives to its module of one name."""
