"""The words of `tertib` that attendance brings."""
