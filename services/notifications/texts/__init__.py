"""What people read: a folder for each language, alike in all but the words."""
