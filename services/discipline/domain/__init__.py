"""The law of a case: what is proposed when, and what follows. Pure: no clock, no database."""
