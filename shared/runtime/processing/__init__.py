"""The pure middle: records in log order become rows, events and new cursors."""
