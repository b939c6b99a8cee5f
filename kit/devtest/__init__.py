"""Tests on devices: the line protocol and what is made of it."""
