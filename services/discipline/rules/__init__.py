"""The rule tables of the procedure as data, and who reads them."""
