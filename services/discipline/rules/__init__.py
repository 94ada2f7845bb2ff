"""The rule tables of the procedure as data, and the code that reads them."""
