"""Rebalancing: when the book is looked at as a whole, where it should stand, and which trades are worth their cost."""
