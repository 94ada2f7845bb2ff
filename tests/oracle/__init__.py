"""A second, slow and simple reading of the semantics, to which the product is compared."""
