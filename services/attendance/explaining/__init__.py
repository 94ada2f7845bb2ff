"""Why a day counted: what was asked, what was heard, which rule judged it, what would change it."""
