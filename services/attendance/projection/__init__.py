"""The assessor as a projection: tables, rows, exports, its stage of a preview."""
