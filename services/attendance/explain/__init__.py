"""Why a day counted: what was required, what was recorded, and which rule judged it."""
