"""Invented datasets: places, people and days as regencies have them, the hardest included."""
