"""The commands of `meta-ads`, one module for each group. Only arguments, calls and what is printed belong here."""
