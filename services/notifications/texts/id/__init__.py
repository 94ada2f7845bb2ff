"""Naskah dalam bahasa Indonesia: the texts in Indonesian, which are the official ones."""
