"""Keys of people: made, found, and destroyed."""
