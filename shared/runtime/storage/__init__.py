"""PostgreSQL: table sets, and what one guarded transaction writes."""
