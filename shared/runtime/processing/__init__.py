"""The processing of records: in log order they become rows, events and new cursors."""
