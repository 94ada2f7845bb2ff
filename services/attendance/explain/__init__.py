"""Why a day counted: what was asked and heard, which rule judged it, what would change it."""
