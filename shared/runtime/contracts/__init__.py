"""The published contracts: JSON Schemas, the AsyncAPI document, and what may not change."""
